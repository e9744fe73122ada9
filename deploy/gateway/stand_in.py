"""A stand-in BFF for the tests of the gateway: cleartext HTTP/2, answers with what it received."""

import contextlib
import json
import socket
import socketserver
import threading

import h2.config
import h2.connection
import h2.errors
import h2.events


class StandIn(socketserver.ThreadingTCPServer):
    """Echoes every request as JSON. `/hang` never answers, `/refuse` refuses each stream, `/reset` resets it half-way.

    `/events` begins an answer that does not end, or refuses the stream of who comes back. `/unwell` is answered with 503.
    """

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, connection=None, port=0):
        super().__init__(("127.0.0.1", port), connection or Connection)
        self.requests = []
        self.connections = set()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def close(self):
        self.shutdown()
        self.server_close()
        for connection in list(self.connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    @property
    def address(self):
        return "127.0.0.1:%d" % self.server_address[1]


class Connection(socketserver.BaseRequestHandler):
    def handle(self):
        self.server.connections.add(self.request)
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        self.h2.initiate_connection()
        self.flush()
        try:
            while data := self.request.recv(65536):
                for event in self.h2.receive_data(data):
                    self.react(event)
                self.flush()
        except OSError:
            pass
        finally:
            self.server.connections.discard(self.request)

    def flush(self):
        self.request.sendall(self.h2.data_to_send())

    def react(self, event):
        if isinstance(event, h2.events.RequestReceived):
            self.headers = event.headers
        elif isinstance(event, h2.events.DataReceived):
            self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.StreamEnded):
            self.server.requests.append(self.headers)
            self.answer(event.stream_id, dict(self.headers)[":path"])

    def answer(self, stream, path):
        if path == "/hang":
            return
        if path == "/events" and "last-event-id" not in dict(self.headers):
            self.h2.send_headers(stream, [(":status", "200"), ("content-type", "text/event-stream")])
            return self.h2.send_data(stream, b": hello\n\n")
        if path in ("/refuse", "/events"):
            return self.h2.reset_stream(stream, h2.errors.ErrorCodes.REFUSED_STREAM)
        if path == "/reset":
            return self.h2.reset_stream(stream, h2.errors.ErrorCodes.INTERNAL_ERROR)
        status = [(":status", "503"), ("retry-after", "7")] if path == "/unwell" else [(":status", "200")]
        self.h2.send_headers(stream, [*status, ("content-type", "application/json")])
        self.h2.send_data(stream, json.dumps(self.headers).encode(), end_stream=True)
