"""Tests of HTTP/3 at the gateway, with the real Envoy and an independent client."""

import asyncio
import json
import tempfile
import unittest
from pathlib import Path

from aioquic.asyncio import QuicConnectionProtocol, connect
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import StreamReset
from running_gateway import RunningGateway, nobody
from test_tls import certificate, pair_of, trusting


class Client(QuicConnectionProtocol):
    """One connection that asks one thing after the other."""

    def __init__(self, *arguments, **more):
        super().__init__(*arguments, **more)
        self.http = H3Connection(self._quic)
        self.answers = {}

    async def get(self, path, *headers):
        """(status, headers, body), as everywhere in these tests."""
        stream = self._quic.get_next_available_stream_id()
        self.answers[stream] = asyncio.get_running_loop().create_future(), {}, b""
        head = [(":method", "GET"), (":scheme", "https"), (":authority", "shop.example"), (":path", path), *headers]
        self.http.send_headers(stream, [(name.encode(), value.encode()) for name, value in head], end_stream=True)
        self.transmit()
        return await asyncio.wait_for(self.answers[stream][0], 10)

    def quic_event_received(self, event):
        if isinstance(event, StreamReset) and event.stream_id in self.answers:
            self.answers[event.stream_id][0].set_exception(ConnectionResetError())
        for found in self.http.handle_event(event):
            if isinstance(found, (HeadersReceived, DataReceived)):
                self.react(found)

    def react(self, event):
        done, headers, body = self.answers[event.stream_id]
        if isinstance(event, HeadersReceived):
            headers |= {name.decode(): value.decode() for name, value in event.headers}
        else:
            body += event.data
        self.answers[event.stream_id] = done, headers, body
        if event.stream_ended:
            done.set_result((int(headers[":status"]), headers, body.decode()))


class Http3(RunningGateway):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.tls_files = certificate(Path(folder.name))
        super().setUpClass()

    @classmethod
    def arguments(cls):
        # Both sockets need the same port.
        cls.tls_listen = nobody()
        return [*super().arguments(), "--tls-listen", cls.tls_listen, *pair_of(cls.tls_files), "--http3"]

    def ask(self, path, *headers):
        return asyncio.run(self.answer(path, *headers))

    async def answer(self, path, *headers):
        configuration = QuicConfiguration(alpn_protocols=H3_ALPN, cafile=str(self.tls_files / "authority.pem"), server_name="localhost")
        port = int(self.tls_listen.rpartition(":")[2])
        async with connect("127.0.0.1", port, configuration=configuration, create_protocol=Client) as client:
            return await client.get(path, *headers)

    def test_a_browser_is_told_of_it_over_tls_and_only_there(self):
        with trusting(self.tls_files).wrap_socket(self.connect_to_tls(), server_hostname="localhost") as tls:
            tls.sendall(b"GET /web/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            head = tls.recv(65536).decode().lower()
        self.assertIn(f'alt-svc: h3=":{self.tls_listen.rpartition(":")[2]}"; ma=86400', head)
        self.assertNotIn("alt-svc", self.get("/web/x")[1])

    def connect_to_tls(self):
        self.address = ("127.0.0.1", int(self.tls_listen.rpartition(":")[2]))
        try:
            return self.connect("127.0.0.1")
        finally:
            del self.address  # the class's own again

    def test_it_is_the_same_gateway(self):
        status, headers, body = self.ask("/web/orders", ("x-user-id", "u_1"), ("x-forwarded-for", "10.0.0.1"), ("traceparent", "00-1"))
        seen = dict(json.loads(body))
        self.assertEqual((status, seen[":path"], seen[":authority"]), (200, "/orders", "shop.example"))
        self.assertEqual(seen["x-forwarded-proto"], "https")
        self.assertNotIn("10.0.0.1", body)
        self.assertNotIn("x-user-id", seen)
        self.assertRegex(seen["traceparent"], "^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$")
        self.assertTrue(headers["strict-transport-security"].startswith("max-age="))

    def test_what_is_refused_is_a_problem(self):
        self.assert_problem(self.ask("/nowhere"), "not-found", "/nowhere")
        self.assert_problem(self.ask("/mobile/home"), "unavailable", "/mobile/home")

    def test_a_large_head_ends_its_stream(self):
        with self.assertRaises(ConnectionResetError):
            self.ask("/web/x", ("big", "a" * 33 * 1024))
        self.assertNotIn("big", str(self.bff.requests))


if __name__ == "__main__":
    unittest.main()
