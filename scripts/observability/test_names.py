"""Tests of what is read of PromQL and held against what is exported. Run by scripts/alerts."""

import http.server
import threading
import unittest
from unittest import mock

from observability import names, promql, sources
from observability.sources import Expression, Metric


class Promql(unittest.TestCase):
    def test_metrics_are_told_from_all_other_words(self):
        for expression, expected in {
            'sum by (job, le) (rate(a_total{job=~"x.+"}[5m])) > 0.5': {"a_total"},
            "a / on (job) group_left (version) b unless c offset 1h": {"a", "b", "c"},
            'slo:burn:rate1h{slo="latency"} > 14.4 and slo:burn:rate5m > bool 1e3': {"slo:burn:rate1h", "slo:burn:rate5m"},
            "avg_over_time((up > bool 0)[5m:15s]) or vector(1)": {"up"},
            'count(ALERTS{text="a {b} \\" rate(c)"})': {"ALERTS"},
            'rate(a{job="$service"}[$__rate_interval]) * 2 ^ 20': {"a"},
        }.items():
            with self.subTest(expression):
                self.assertEqual(promql.metrics(expression), expected)

    def test_labels_belong_to_the_metric_before_them(self):
        expression = 'sum by (x) (a{job="w", code!~"5..", text="b=c"}) / d{} + {e="f"}'
        self.assertEqual(promql.choices(expression), {("a", "job"), ("a", "code"), ("a", "text")})


METRICS = {"good_total": Metric("good_total", "counter", frozenset({"kind"})), "times": Metric("times", "histogram", frozenset())}


class Names(unittest.TestCase):
    def check(self, expression, mentions=()):
        found = [Expression("here", expression)]
        with mock.patch.multiple(
            sources, table=lambda: METRICS, expressions=lambda: found, mentions=lambda: mentions, recorded=lambda: {"slo:x"}
        ):
            return list(names.offline())

    def test_what_the_table_has_is_no_complaint(self):
        expression = 'rate(good_total{kind="a", job="b"}[5m]) + rate(times_bucket{le="1"}[5m]) + slo:x + up + envoy_x'
        self.assertEqual(self.check(expression, [("there", "kind"), ("there", "times"), ("there", "times_sum")]), [])

    def test_a_metric_or_label_that_nobody_exports_is_one(self):
        for expression, complaint in {
            "bad_total": "bad_total is not in the table",
            "times": "times is not in the table",
            'good_total{colour="red"}': "good_total has no label colour",
        }.items():
            with self.subTest(expression):
                found = self.check(expression)
                self.assertEqual(len(found), 1, found)
                self.assertIn(complaint, found[0])
        self.assertIn("triptych_old is neither", self.check("up", [("there", "triptych_old")])[0])


class Live(unittest.TestCase):
    TABLE = {
        "triptych_calls_total": Metric("triptych_calls_total", "counter", frozenset({"outcome"})),
        "http_server_x": Metric("http_server_x", "histogram", frozenset({"error_type"})),
        "triptych_quota_refused_total": Metric("triptych_quota_refused_total", "counter", frozenset({"plan"})),
    }
    WELL = 'triptych_calls_total{outcome="ok"} 1\nhttp_server_x_bucket{le="1"} 1\nhttp_server_x_sum 0.1\nhttp_server_x_count 1\n'

    def check(self, *pages):
        with mock.patch.multiple(sources, table=lambda: self.TABLE, expressions=lambda: [], mentions=lambda: []):
            return list(names.live([serve(self, page) for page in pages]))

    def test_pages_are_taken_together(self):
        first, rest = self.WELL.split("\n", 1)
        self.assertEqual(self.check(first + "\n", rest), [])

    def test_differences_in_both_directions_are_found(self):
        for page, complaint in {
            self.WELL.replace("http_server_x_sum 0.1\n", ""): "http_server_x_sum is in the table",
            self.WELL.replace('outcome="ok"', 'result="ok"'): "triptych_calls_total is exported without its label outcome",
            self.WELL + "triptych_new 1\n": "triptych_new is exported, and not in the table",
        }.items():
            with self.subTest(complaint):
                found = self.check(page)
                self.assertEqual(len(found), 1, found)
                self.assertIn(complaint, found[0])

    def test_names_of_the_gateway_are_found_there(self):
        used = [Expression("here", 'envoy_a{code="5"} + envoy_b')]
        page = serve(self, 'envoy_a{class="5", envoy_d="6"} 1\n')
        with mock.patch.multiple(
            sources, expressions=lambda: used, mentions=lambda: [("there", "envoy_c"), ("there", "envoy_d")]
        ):
            found = list(names.live([page]))
        complaints = ("envoy_b is not exported", "envoy_c is not exported", "envoy_a has no label code")
        self.assertEqual(len(found), 3, found)
        for complaint in complaints:
            self.assertTrue(any(complaint in line for line in found), complaint)


def serve(test, page):
    """The URL of a page that is there until the test ends."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(page.encode())

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    test.addCleanup(server.server_close)
    test.addCleanup(server.shutdown)
    return f"http://127.0.0.1:{server.server_address[1]}/metrics"


if __name__ == "__main__":
    unittest.main()
