"""Tests of the gateway with the real Envoy in front of a stand-in BFF. Run by scripts/test."""

import http.client
import json
import re
import socket
import subprocess
import tempfile
import time
import unittest
import urllib.error
import urllib.request
from pathlib import Path

import h2.config
import h2.connection
import h2.events
import problems
import render
from stand_in import StandIn

ROOT = Path(__file__).resolve().parent.parent.parent
GET = "GET {} HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n{}\r\n"


class Gateway(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.bff = StandIn()
        cls.files = tempfile.TemporaryDirectory()
        cls.log = Path(cls.files.name, "access.log")
        admin_file = Path(cls.files.name, "admin")
        nobody = f"127.0.0.1:{unused_port()}"
        with open(cls.log, "wb") as log:
            cls.envoy = subprocess.Popen(
                [ROOT / "scripts/gateway", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--admin-file", admin_file]
                + ["--web", cls.bff.address, "--partner", cls.bff.address, "--mobile", nobody],
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        cls.admin = "http://" + wait_for(lambda: admin_file.exists() and admin_file.read_text())
        wait_for(lambda: urllib.request.urlopen(cls.admin + "/ready").status == 200)
        listeners = urllib.request.urlopen(cls.admin + "/listeners").read().decode()
        cls.address = ("127.0.0.1", int(listeners.strip().rpartition(":")[2]))

    @classmethod
    def tearDownClass(cls):
        cls.envoy.terminate()
        cls.envoy.wait()
        cls.bff.shutdown()
        cls.bff.server_close()
        cls.files.cleanup()

    def send(self, request):
        """(status, headers, body) of the answer to these bytes."""
        with socket.create_connection(self.address, timeout=10) as connection:
            connection.sendall(request.encode("latin-1"))
            answer = http.client.HTTPResponse(connection)
            answer.begin()
            headers = {name.lower(): value for name, value in answer.getheaders()}
            return answer.status, headers, answer.read().decode()

    def get(self, path, *headers):
        return self.send(GET.format(path, "".join(f"{header}\r\n" for header in headers)))

    def seen(self, path, *headers):
        """The headers with which the BFF sees a GET."""
        status, _, body = self.get(path, *headers)
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
        self.assertEqual("retry-after" in headers, status == 503)
        self.assertEqual(set(problem) - {"type", "title", "status", "instance", id_name}, set())

    def test_the_prefix_chooses_the_bff_and_goes(self):
        for path, expected in [
            ("/web/dashboard", "/dashboard"),
            ("/web/", "/"),
            ("/web/orders?cursor=a%2fb&limit=3", "/orders?cursor=a%2fb&limit=3"),
            ("/partner/v1/orders", "/v1/orders"),
            ("/web/web/x", "/web/x"),
            ("/web//orders", "/orders"),
            ("/web/orders/../x", "/x"),
            ("/web/orders/%2e%2e/x", "/x"),
            ("/web/../partner/v1/usage", "/v1/usage"),
            ("/web/a;b", "/a;b"),
            ("/web/%252e%252e%252fx", "/%252e%252e%252fx"),
        ]:
            with self.subTest(path):
                seen = self.seen(path)
                self.assertEqual(seen[":path"], expected)
                self.assertEqual(seen[":authority"], "shop.example")

    def test_everything_else_is_nobodys(self):
        for path in ["/", "/web", "/webx", "/webx/y", "/partner", "/mobile?x=1", "/web/../admin", "/WEB/x"]:
            with self.subTest(path):
                instance = {"/mobile?x=1": "/mobile", "/web/../admin": "/admin"}.get(path, path)
                self.assert_problem(self.get(path), "not-found", instance)

    def test_nothing_that_speaks_for_the_caller_comes_through(self):
        forged = ["X-User-Id: u_1", "x-user-id: u_2", "X-Remote-User: a", "X-Request-Deadline-Ms: 9", "X-Forwarded-User: a"]
        forged += ["X-Request-Priority: 1", "X-Forwarded-For: 10.0.0.1", "X-Forwarded-Host: evil", "X-Forwarded-Proto: https"]
        forged += ["Forwarded: for=10.0.0.1", "X-Real-IP: 10.0.0.1", "traceparent: 00-1", "tracestate: a=1", "baggage: a=1"]
        forged += ["b3: 1", "X-B3-TraceId: 1", "X-Envoy-Retry-On: 5xx", "X-Envoy-Upstream-Rq-Timeout-Ms: 99999"]
        forged += ["X-Original-Url: /admin", "Connection: X-Request-Id, X-User-Id", "X-Request-Id: mine"]
        seen = self.seen("/web/x", *forged, "X-Request-Timeout-Ms: 100", "Authorization: Bearer t")
        expected = {":method", ":scheme", ":authority", ":path", "authorization", "x-request-timeout-ms"}
        made_here = {"x-forwarded-for", "x-forwarded-proto", "x-request-id"}
        envoys_own = {"x-envoy-expected-rq-timeout-ms", "x-envoy-external-address", "x-envoy-original-path"}
        self.assertEqual(set(seen), expected | made_here | envoys_own)
        self.assertEqual(seen["x-forwarded-proto"], "http")
        self.assertEqual(seen["x-envoy-expected-rq-timeout-ms"], "3000")
        self.assertNotIn("10.0.0.1", str(seen))

    def test_the_request_id_is_made_here_and_told_to_both_sides(self):
        _, headers, body = self.get("/web/x", "X-Request-Id: mine")
        seen = dict(json.loads(body))["x-request-id"]
        self.assertEqual(headers["x-request-id"], seen)
        self.assertRegex(seen, "^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")

    def test_an_answer_does_not_say_what_runs_here(self):
        for path in ["/web/x", "/nowhere"]:
            _, headers, _ = self.get(path)
            self.assertEqual({name for name in headers if name == "server" or name.startswith("x-envoy")}, set())

    def test_only_what_was_never_processed_is_sent_twice(self):
        for path, times, slug, id_name in [
            ("/partner/refuse", 2, "unavailable", "request_id"),
            ("/web/reset", 1, "unavailable", "requestId"),
            ("/web/hang", 1, "deadline-exceeded", "requestId"),
        ]:
            with self.subTest(path):
                self.bff.requests.clear()
                self.assert_problem(self.get(path), slug, path, id_name)
                self.assertEqual(len(self.bff.requests), times)

    def test_a_bff_that_is_down_is_a_problem(self):
        self.assert_problem(self.get("/mobile/home?q=secret"), "unavailable", "/mobile/home")

    def test_hostile_shapes_are_refused(self):
        post = "POST /web/x HTTP/1.1\r\nHost: a\r\n"
        for name, request in {
            "escaped slash": GET.format("/web/orders/%2e%2e%2fadmin", ""),
            "escaped backslash": GET.format("/web/orders/..%5cadmin", ""),
            "fragment": GET.format("/web/x#y", ""),
            "not ASCII": GET.format("/web/\u00e9", ""),
            "underscore": GET.format("/web/x", "X_User_Id: u_1\r\n"),
            "upgrade": GET.format("/web/x", "Connection: upgrade\r\nUpgrade: websocket\r\n"),
            "HTTP/1.0": "GET /web/x HTTP/1.0\r\n\r\n",
            "no Host": "GET /web/x HTTP/1.1\r\n\r\n",
            "two Hosts": GET.format("/web/x", "Host: b\r\n"),
            "both lengths": post + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "two lengths": post + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
            "two codings": post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
            "unknown coding": post + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
            "bare LF in chunks": post + "Transfer-Encoding: chunked\r\n\r\n1\na\n0\n\n",
            "LF in a chunk extension": post + "Transfer-Encoding: chunked\r\n\r\n1;a=\nb\r\na\r\n0\r\n\r\n",
            "space before colon": "GET /web/x HTTP/1.1\r\nHost : a\r\n\r\n",
            "NUL": GET.format("/web/x", "a: b\0c\r\n"),
            "unknown method": "STEAL /web/x HTTP/1.1\r\nHost: a\r\n\r\n",
        }.items():
            with self.subTest(name):
                status, headers, body = self.send(request)
                self.assert_problem((status, headers, body), "invalid-request", json.loads(body).get("instance"))
                self.assertEqual(status, 400)

    def test_large_heads_are_refused(self):
        for name, headers in {
            "100 headers and more": "".join(f"h{i}: a\r\n" for i in range(99)),
            "33 KiB of headers": f"big: {'a' * 33 * 1024}\r\n",
        }.items():
            with self.subTest(name):
                status, headers, body = self.send(GET.format("/web/x", headers))
                self.assert_problem((status, headers, body), "headers-too-large", json.loads(body).get("instance"))
                self.assertEqual(status, 431)

    def test_a_path_is_escaped_in_a_problem(self):
        answer = self.get('/nowhere/"\\u0041</script>?token=secret')
        self.assert_problem(answer, "not-found", "/nowhere/%22/u0041%3C/script%3E")

    def test_http2_has_the_limits_of_the_edge(self):
        with socket.create_connection(self.address, timeout=10) as connection:
            client = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
            client.initiate_connection()
            head = [(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "/web/x")]
            client.send_headers(1, [*head, ("x-user-id", "u_1")], end_stream=True)
            client.send_headers(3, [*head, ("x_user_id", "u_1")], end_stream=True)
            connection.sendall(client.data_to_send())
            events = []
            while not {1, 3} <= {e.stream_id for e in events if isinstance(e, (h2.events.StreamEnded, h2.events.StreamReset))}:
                events += client.receive_data(connection.recv(65536))
        limits = client.remote_settings
        self.assertEqual((limits.max_concurrent_streams, limits.initial_window_size), (100, 65536))
        self.assertEqual([e.stream_id for e in events if isinstance(e, h2.events.StreamReset)], [3])
        body = next(e.data for e in events if isinstance(e, h2.events.DataReceived))
        self.assertNotIn("x-user-id", dict(json.loads(body)))

    def test_the_log_has_a_line_per_request_and_nothing_secret(self):
        ids = [
            self.get(path, *headers)[1]["x-request-id"]
            for path, headers in [
                ("/web/orders/o_secret?token=secret", ["Authorization: Bearer secret", "Cookie: a=secret"]),
                ("/secret", []),
                ("/web/%2fsecret", []),
            ]
        ]
        lines = wait_for(lambda: self.logged(ids))
        self.assertEqual([line["status"] for line in lines], [200, 404, 400])
        self.assertEqual(lines[0]["route"], "web")
        self.assertEqual(lines[0]["upstream"], "web-bff")
        self.assertNotIn("secret", json.dumps(lines))

    def logged(self, ids):
        """The log lines of these requests, or None while one is missing."""
        text = self.log.read_text(encoding="utf-8")
        by_id = {line["requestId"]: line for line in map(json.loads, re.findall(r"^\{.*\}$", text, re.MULTILINE))}
        return all(i in by_id for i in ids) and [by_id[i] for i in ids]

    def test_the_admin_interface_only_reads(self):
        for path in ["/config_dump", "/quitquitquit", "/runtime", "/certs"]:
            with self.subTest(path), self.assertRaises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(self.admin + path)
            self.assertEqual(refused.exception.code, 403)


class Rendering(unittest.TestCase):
    def test_problems_are_of_the_documented_list(self):
        kinds = (ROOT / "crates/problem/src/kinds.rs").read_text(encoding="utf-8")
        listed = dict(re.findall(r'= \w+ "([a-z-]+)" "([^"]+)";', kinds))
        for _, _, (slug, title, _, _) in problems.OWN_ERRORS:
            self.assertEqual(listed[slug], title)

    def test_an_address_is_host_and_port(self):
        self.assertEqual(render.split("[::1]:80"), ("::1", 80))
        self.assertEqual(render.split("web-bff:8081"), ("web-bff", 8081))
        for bad in ["8080", "127.0.0.1", "a:b", "::1:80", "a:99999", 'a"b:1', "a:1\n"]:
            with self.subTest(bad), self.assertRaises(render.BadAddress):
                render.split(bad)

    def test_a_missing_value_is_an_error(self):
        with self.assertRaises(KeyError):
            render.render({"LISTEN": "127.0.0.1:8080"})


def unused_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


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


if __name__ == "__main__":
    unittest.main()
