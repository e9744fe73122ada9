"""What the tests of the gateway stand on: the real Envoy in front of a stand-in BFF, and clients for both protocols."""

import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request
from pathlib import Path

import h2.config
import h2.connection
import h2.errors
import h2.events
from stand_in import StandIn

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.append(str(ROOT / "scripts/demo"))

from processes import die_with

GET = "GET {} HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n{}\r\n"


class RunningGateway(unittest.TestCase):
    """Starts one gateway for all tests of a class. `/mobile/` leads to a BFF that is down, and there is no identity provider."""

    @classmethod
    def setUpClass(cls):
        files = tempfile.TemporaryDirectory()
        cls.addClassCleanup(files.cleanup)
        cls.files = Path(files.name)
        cls.bff = StandIn()
        cls.addClassCleanup(cls.bff.close)
        cls.log = cls.files / "access.log"
        admin_file = cls.files / "admin"
        command = [ROOT / "scripts/gateway", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--admin-file", admin_file]
        command += ["--web", cls.bff.address, "--partner", cls.bff.address, "--mobile", nobody()]
        command += ["--web-app", cls.files / "web-app"]
        with open(cls.log, "wb") as log:
            envoy = start([*command, *cls.arguments()], log)
        cls.addClassCleanup(end, envoy)
        cls.admin = "http://" + wait_for(lambda: admin_file.exists() and admin_file.read_text())
        wait_for(lambda: urllib.request.urlopen(cls.admin + "/ready").status == 200)
        listeners = urllib.request.urlopen(cls.admin + "/listeners").read().decode().split()
        cls.ports = {line.partition("::")[0]: int(line.rpartition(":")[2]) for line in listeners}
        cls.address = ("127.0.0.1", cls.ports["edge"])

    @classmethod
    def arguments(cls):
        """More arguments for the gateway; of two the last one counts."""
        return ["--rate", "off", "--provider", nobody()]

    def connect(self, source):
        return socket.create_connection(self.address, timeout=10, source_address=(source, 0))

    def send(self, request, source="127.0.0.1"):
        """(status, headers, body) of the answer to these bytes, sent from the loopback address `source`."""
        with self.connect(source) as connection:
            connection.sendall(request.encode("latin-1"))
            answer = http.client.HTTPResponse(connection, method=request.partition(" ")[0])
            answer.begin()
            headers = {name.lower(): value for name, value in answer.getheaders()}
            return answer.status, headers, answer.read().decode()

    def get(self, path, *headers, source="127.0.0.1"):
        return self.send(GET.format(path, "".join(f"{header}\r\n" for header in headers)), source)

    def seen(self, path, *headers, source="127.0.0.1"):
        """The headers with which the BFF sees a GET."""
        status, _, body = self.get(path, *headers, source=source)
        self.assertEqual(status, 200)
        return dict(json.loads(body))

    def assert_problem(self, answer, slug, instance, id_name="requestId"):
        status, headers, body = answer
        problem = json.loads(body)
        self.assertEqual(headers["content-type"], "application/problem+json")
        self.assertEqual(problem["type"], f"urn:triptych:problem:{slug}")
        self.assertEqual(problem["status"], status)
        self.assertEqual(problem.get("instance"), instance)
        self.assertEqual(problem[id_name], headers["x-request-id"])
        self.assertEqual("retry-after" in headers, status in (429, 503))
        self.assertEqual(headers["x-content-type-options"], "nosniff")
        self.assertEqual(set(problem) - {"type", "title", "status", "instance", id_name}, set())


class Http2Client:
    """One HTTP/2 connection to the gateway, spoken by hand. A context."""

    def __init__(self, address, tls=None):
        self.socket = socket.create_connection(address, timeout=10)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_hostname="localhost")
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        self.h2.initiate_connection()

    def open(self, stream, path, *headers):
        """Asks for GET `path`; `flush` sends it."""
        head = [(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", path)]
        self.h2.send_headers(stream, [*head, *headers], end_stream=True)

    def open_and_reset(self, stream, path):
        self.open(stream, path)
        self.flush()
        self.h2.reset_stream(stream, h2.errors.ErrorCodes.CANCEL)

    def flush(self):
        self.socket.sendall(self.h2.data_to_send())

    def is_closed(self):
        """Waits for the other side to close."""
        try:
            while self.socket.recv(65536):
                pass
        except ConnectionError:
            pass
        except TimeoutError:
            return False
        return True

    def answers(self, count):
        """{stream: (status, headers, body)} of what was answered since the last time, after `count` answers at least."""
        heads, bodies, answers = {}, {}, {}
        while True:
            data = self.socket.recv(65536)
            if not data:
                raise ConnectionError("the gateway closed the connection")
            for event in self.h2.receive_data(data):
                if isinstance(event, h2.events.ResponseReceived):
                    heads[event.stream_id] = dict(event.headers)
                elif isinstance(event, h2.events.DataReceived):
                    bodies[event.stream_id] = bodies.get(event.stream_id, b"") + event.data
                elif isinstance(event, h2.events.StreamEnded):
                    head = heads[event.stream_id]
                    answers[event.stream_id] = int(head[":status"]), head, bodies.get(event.stream_id, b"").decode()
            if len(answers) >= count:
                return answers

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


def start(command, log):
    """Starts a program that does not outlive this one."""
    parent = os.getpid()
    return subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, preexec_fn=lambda: die_with(parent))


def end(process):
    process.terminate()
    process.wait()


def nobody():
    """An address at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return "127.0.0.1:%d" % probe.getsockname()[1]


def wait_for(condition):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            if result := condition():
                return result
        except OSError:
            pass
        time.sleep(0.02)
    raise AssertionError("waited 30 s in vain")
