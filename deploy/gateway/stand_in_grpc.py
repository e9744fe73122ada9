"""A stand-in gRPC server for the tests of the gateway: unary calls over cleartext HTTP/2, and Protocol Buffers by hand.

https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md, https://protobuf.dev/programming-guides/encoding/
"""

import contextlib
import struct

import h2.events
import h2.exceptions
from stand_in import Connection, StandIn


class StandInGrpc(StandIn):
    """Answers each call with what `reply`, which gets path and message, makes of it."""

    def __init__(self, reply, port=0):
        super().__init__(Call, port)
        self.reply = reply


class Call(Connection):
    def setup(self):
        self.paths, self.bodies = {}, {}

    def react(self, event):
        if isinstance(event, h2.events.RequestReceived):
            self.paths[event.stream_id] = dict(event.headers)[":path"]
            self.bodies[event.stream_id] = b""
        elif isinstance(event, h2.events.DataReceived):
            self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            self.bodies[event.stream_id] += event.data
        elif isinstance(event, h2.events.StreamEnded):
            message = self.bodies.pop(event.stream_id)[5:]  # after a flag and the length
            reply = self.server.reply(self.paths.pop(event.stream_id), message)
            with contextlib.suppress(h2.exceptions.StreamClosedError):  # who asked has waited long enough
                self.answer_call(event.stream_id, reply)

    def answer_call(self, stream, reply):
        self.h2.send_headers(stream, [(":status", "200"), ("content-type", "application/grpc")])
        self.h2.send_data(stream, struct.pack(">BI", 0, len(reply)) + reply)
        self.h2.send_headers(stream, [("grpc-status", "0")], end_stream=True)


def fields(message):
    """{number: [value, …]} of a message: integers as such, everything with a length as bytes."""
    found, at = {}, 0
    while at < len(message):
        key, at = varint(message, at)
        kind = key & 7
        if kind == 0:
            value, at = varint(message, at)
        else:
            length, at = {1: (8, at), 5: (4, at)}.get(kind) or varint(message, at)
            value, at = message[at : at + length], at + length
        found.setdefault(key >> 3, []).append(value)
    return found


def varint(message, at):
    value = shift = 0
    while True:
        byte = message[at]
        value, shift, at = value | (byte & 0x7F) << shift, shift + 7, at + 1
        if byte < 0x80:
            return value, at


def write(number, value):
    """One field: an integer, or bytes."""
    if isinstance(value, int):
        return write_varint(number << 3) + write_varint(value)
    return write_varint(number << 3 | 2) + write_varint(len(value)) + value


def write_varint(value):
    out = b""
    while value > 0x7F:
        out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
    return out + bytes([value])
