"""Tests of the gateway with the real Envoy in front of a stand-in BFF. Run by scripts/test."""

import contextlib
import http.client
import json
import re
import select
import subprocess
import sys
import unittest
import urllib.error
import urllib.request
from pathlib import Path

import problems
import render
import replicas
from running_gateway import GET, ROOT, Http2Client, RunningGateway, wait_for


class Gateway(RunningGateway):
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

    def test_a_stream_of_events_has_no_end_and_no_second_try(self):
        with self.connect("127.0.0.1") as connection:
            connection.sendall(GET.format("/web/events", "").encode())
            answer = http.client.HTTPResponse(connection)
            answer.begin()
            # The BFF has more to say, and what it said is here.
            self.assertEqual(answer.readline(), b": hello\n")
            self.assertNotIn("x-envoy-expected-rq-timeout-ms", dict(self.bff.requests[-1]))
        self.bff.requests.clear()
        self.assert_problem(self.get("/web/events", "Last-Event-ID: refuse"), "unavailable", "/web/events")
        self.assertEqual([dict(headers)[":path"] for headers in self.bff.requests], ["/events"])
        self.assertEqual(self.seen("/web/events/x")["x-envoy-expected-rq-timeout-ms"], "3000")

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
        with Http2Client(self.address) as client:
            client.open(1, "/web/x", ("x-user-id", "u_1"), ("x_user_id", "u_1"))
            client.flush()
            status, _, body = client.answers(1)[1]
            limits = client.h2.remote_settings
        self.assertEqual((limits.max_concurrent_streams, limits.initial_window_size), (100, 65536))
        self.assertEqual(status, 200)
        self.assertNotIn("u_1", body)

    def test_one_who_resets_streams_loses_the_connection_and_nobody_else_does(self):
        with Http2Client(self.address) as healthy, Http2Client(self.address) as hostile:
            for stream in range(1, 49, 2):
                hostile.open_and_reset(stream, "/web/hang")
            for client in (hostile, healthy):
                client.open(49, "/web/x")
                client.flush()
                self.assertEqual(client.answers(1)[49][0], 200)
            hostile.open_and_reset(51, "/web/hang")
            hostile.flush()
            self.assertTrue(hostile.is_closed())
            healthy.open(51, "/web/x")
            healthy.flush()
            self.assertEqual(healthy.answers(1)[51][0], 200)

    def test_a_full_bff_is_a_problem_that_does_not_say_what_runs_here(self):
        with contextlib.ExitStack() as stack:
            clients = {}
            for _ in range(11):
                client = stack.enter_context(Http2Client(self.address))
                clients[client.socket] = client
                for stream in range(1, 200, 2):
                    client.open(stream, "/partner/hang")
                client.flush()
            answers = {}
            while not answers:
                readable, _, _ = select.select(clients, [], [], 8)
                self.assertTrue(readable, "the gateway queues without a bound")
                for ready in readable:
                    answers |= clients[ready].answers(0)
        answer = next(iter(answers.values()))
        self.assert_problem(answer, "overloaded", "/partner/hang", "request_id")
        self.assertEqual([name for name in answer[1] if name.startswith("x-envoy")], [])

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
        self.assertEqual(replicas.split("[::1]:80"), ("::1", 80))
        self.assertEqual(replicas.split("web-bff:8081"), ("web-bff", 8081))
        for bad in ["8080", "127.0.0.1", "a:b", "::1:80", "a:99999", 'a"b:1', "a:1\n"]:
            with self.subTest(bad), self.assertRaises(replicas.BadAddress):
                replicas.split(bad)

    def test_a_missing_value_is_an_error(self):
        with self.assertRaises(KeyError):
            render.render(render.Settings({"LISTEN": "127.0.0.1:8080"}, bffs={}))


class Ending(unittest.TestCase):
    def test_envoy_does_not_outlive_a_test_that_is_killed(self):
        code = "import running_gateway, sys; running_gateway.start(['sleep', '60'], None); print('up', flush=True); input()"
        here = Path(__file__).parent
        with subprocess.Popen([sys.executable, "-c", code], cwd=here, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as test:
            self.assertEqual(test.stdout.readline(), b"up\n")
            test.kill()
            # The end of the pipe that both write to: both are gone.
            self.assertTrue(select.select([test.stdout], [], [], 10)[0])
            self.assertEqual(test.stdout.read(), b"")


if __name__ == "__main__":
    unittest.main()
