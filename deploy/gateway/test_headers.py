"""Tests of what the gateway lets through of a request's head, with the real Envoy in front of a stand-in BFF."""

import re
import unittest

from running_gateway import ROOT, RunningGateway, nobody


class Headers(RunningGateway):
    def test_nothing_that_speaks_for_the_caller_comes_through(self):
        forged = ["X-User-Id: u_1", "x-user-id: u_2", "X-Remote-User: a", "X-Request-Deadline-Ms: 9", "X-Forwarded-User: a"]
        forged += ["X-Request-Priority: 1", "X-Forwarded-For: 10.0.0.1", "X-Forwarded-Host: evil", "X-Forwarded-Proto: https"]
        forged += ["Forwarded: for=10.0.0.1", "X-Real-IP: 10.0.0.1", "traceparent: 00-1", "tracestate: a=1", "baggage: a=1"]
        forged += ["b3: 1", "X-B3-TraceId: 1", "X-Envoy-Retry-On: 5xx", "X-Envoy-Upstream-Rq-Timeout-Ms: 99999"]
        forged += ["X_User_Id: u_3", "x-remote_user: a", "Remote-User: a", "X-Remote-Group: a", "X-Authenticated-User: a"]
        forged += ["X-Auth-Request-Email: a", "X-HTTP-Method: DELETE", "Sentry-Trace: 1", "Uber-Trace-Id: 1"]
        forged += ["X-Cloud-Trace-Context: 1", "X-Datadog-Trace-Id: 1", "X-Amzn-Trace-Id: 1"]
        forged += ["X-Original-Url: /admin", "Connection: X-Request-Id, X-User-Id", "X-Request-Id: mine"]
        seen = self.seen("/web/x", *forged, "X-Request-Timeout-Ms: 100", "Authorization: Bearer t")
        expected = {":method", ":scheme", ":authority", ":path", "authorization", "x-request-timeout-ms"}
        made_here = {"x-forwarded-for", "x-forwarded-proto", "x-request-id", "traceparent", "tracestate"}
        envoys_own = {"x-envoy-expected-rq-timeout-ms", "x-envoy-external-address", "x-envoy-original-path"}
        self.assertEqual(set(seen), expected | made_here | envoys_own)
        self.assertEqual(seen["x-forwarded-proto"], "http")
        self.assertRegex(seen["traceparent"], "^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$")
        self.assertEqual(seen["tracestate"], "")
        self.assertEqual(seen["x-envoy-expected-rq-timeout-ms"], "3000")
        self.assertNotIn("10.0.0.1", str(seen))

    def test_nobody_chooses_where_a_request_comes_from(self):
        for forged in [
            ["X-Forwarded-For: 10.0.0.1"],
            ["X-Forwarded-For: 10.0.0.1", "x-forwarded-for: 10.0.0.1, 10.0.0.1"],
            ["X_Forwarded_For: 10.0.0.1", "X-Forwarded_For: 10.0.0.1"],
            ["Connection: X-Request-Id, X-Envoy-External-Address"],
            ["X-Envoy-External-Address: 10.0.0.1", "Forwarded: for=10.0.0.1", "X-Real-IP: 10.0.0.1"],
        ]:
            with self.subTest(forged):
                self.bff.requests.clear()
                seen = self.seen("/web/x", *forged, source="127.1.2.3")
                [headers] = self.bff.requests
                self.assertEqual([value for name, value in headers if name == "x-forwarded-for"], ["127.1.2.3"])
                self.assertIn("x-request-id", seen)
                self.assertEqual(seen["x-forwarded-proto"], "http")
                self.assertNotIn("10.0.0.1", str(seen))
        for name in ["X-Forwarded-For", "X-Forwarded-Proto"]:
            answer = self.get("/web/x", "X-Forwarded-For: 10.0.0.1", f"Connection: {name}")
            self.assert_problem(answer, "invalid-request", None)

    def test_what_a_client_has_to_say_comes_through(self):
        said = {
            "authorization": "DPoP a.b.c",
            "cookie": "__Host-Http-triptych=a; triptych-dev-login-0a1b2c3d=b",
            "dpop": "a.b.c",
            "last-event-id": "7",
            "origin": "http://127.0.0.1:8080",
            "sec-fetch-dest": "empty",
            "sec-fetch-mode": "cors",
            "sec-fetch-site": "same-origin",
            "x-api-key": "tpk_a_b",
            "x-app-version": "1.2.3",
            "x-csrf": "1",
        }
        seen = self.seen("/web/x", *(f"{name}: {value}" for name, value in said.items()))
        self.assertEqual({name: seen.get(name) for name in said}, said)

    def test_what_a_bff_removes_is_removed_here_too(self):
        source = (ROOT / "crates/middleware/src/foreign_headers.rs").read_text(encoding="utf-8")
        names, prefixes = (
            re.findall('"([a-z-]+)"', re.search(rf"const {constant}: .*?\];", source, re.DOTALL)[0])
            for constant in ("NAMES", "PREFIXES")
        )
        self.assertIn("x-user-id", names)
        self.assertIn("x-envoy-", prefixes)
        for name in [*names, *(prefix + "anything" for prefix in prefixes)]:
            for spelling in {name, name.replace("-", "_")}:
                with self.subTest(spelling):
                    self.assertNotIn("forged", str(self.seen("/web/x", f"{spelling}: forged")))

    def test_what_is_no_clean_line_is_read_once(self):
        head = "GET /web/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
        for name, request, value in [
            ("bare LF", head.replace("\r", "") + "a: b\n\n", "b"),
            ("bare LF in a header", head + "a: b\nX-User-Id: u_1\r\n\r\n", "b"),
            ("obs-fold", head + "a: b\r\n X-User-Id: u_1\r\n\r\n", "b X-User-Id: u_1"),
            ("obs-fold with a tab", head + "a: b\r\n\tTransfer-Encoding: chunked\r\n\r\n", "b\tTransfer-Encoding: chunked"),
        ]:
            with self.subTest(name):
                self.bff.requests.clear()
                self.assertEqual(self.send(request)[0], 200)
                [headers] = self.bff.requests
                made_here = (":", "x-forwarded-", "x-envoy-", "x-request-id", "trace")
                self.assertEqual([pair for pair in headers if not pair[0].startswith(made_here)], [("a", value)])


class BehindAProxy(RunningGateway):
    """One proxy before this one says who called it."""

    @classmethod
    def arguments(cls):
        return ["--provider", nobody(), "--hops", "1", "--rate", "address=0.001:2"]

    def test_the_last_word_of_the_proxy_is_believed_and_no_other(self):
        for said in ["10.0.0.1", "10.9.9.9, 10.0.0.1"]:
            seen = self.seen("/web/x", f"X-Forwarded-For: {said}", "X-Forwarded-Proto: https", "X-Forwarded-User: u_1")
            self.assertEqual(seen["x-envoy-external-address"], "10.0.0.1")
            self.assertTrue(seen["x-forwarded-for"].replace(" ", "").startswith(said.replace(" ", "") + ","))
            self.assertEqual(seen["x-forwarded-proto"], "https")
            self.assertNotIn("x-forwarded-user", seen)
        # It is the caller of the proxy whose bucket is empty, not the proxy.
        self.assertEqual(self.get("/web/x", "X-Forwarded-For: 10.0.0.1")[0], 429)
        self.assertEqual(self.get("/web/x", "X-Forwarded-For: 10.0.0.2")[0], 200)


if __name__ == "__main__":
    unittest.main()
