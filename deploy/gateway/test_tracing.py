"""Tests of the trace that begins at the gateway, with the real Envoy and a stand-in collector."""

import json
import threading
import unittest

import tracing
from running_gateway import RunningGateway, wait_for
from stand_in_grpc import StandInGrpc, fields

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
FOREIGN = [f"traceparent: 00-{TRACE}-{PARENT}-01", "tracestate: vendor=a", "baggage: user=b"]
TRUSTED = "127.9.0.1"
SERVER = 2  # the kind of a span


class Collector(StandInGrpc):
    """Keeps the spans that it is sent, as {name, trace, parent, …}."""

    def __init__(self):
        super().__init__(self.take)
        self.spans = []
        self.services = set()
        self.lock = threading.Lock()

    def take(self, path, message):
        assert path == "/opentelemetry.proto.collector.trace.v1.TraceService/Export", path
        with self.lock:
            for resource_spans in map(fields, fields(message).get(1, [])):
                self.services.add(attributes(fields(resource_spans[1][0]), 1)["service.name"])
                for scope_spans in map(fields, resource_spans[2]):
                    self.spans += [span(fields(one)) for one in scope_spans[2]]
        return b""

    def of(self, trace):
        with self.lock:
            return [span for span in self.spans if span["trace"] == trace]

    def about(self, request_id):
        with self.lock:
            return [span for span in self.spans if span["attributes"]["guid:x-request-id"] == request_id]


def span(found):
    return {
        "trace": found[1][0].hex(),
        "id": found[2][0].hex(),
        "parent": found[4][0].hex() if 4 in found else "",
        "name": found[5][0].decode(),
        "kind": found[6][0],
        "attributes": attributes(found, 9),
    }


def attributes(found, number):
    pairs = map(fields, found.get(number, []))
    return {pair[1][0].decode(): text(fields(pair[2][0])) for pair in pairs}


def text(value):
    """Of an AnyValue, if it is a text."""
    return value[1][0].decode() if 1 in value else str(value)


class Tracing(RunningGateway):
    """Every trace that begins here is sampled."""

    @classmethod
    def arguments(cls):
        cls.collector = Collector()
        cls.addClassCleanup(cls.collector.close)
        trace = ["--otlp", cls.collector.address, "--trace-sampling", "100", "--trust-traces-of", f"{TRUSTED}/32"]
        return [*super().arguments(), *trace]

    def context(self, *headers, path="/web/x", source="127.0.0.1"):
        """What the BFF is told: its headers, and its traceparent in parts."""
        seen = self.seen(path, *headers, source=source)
        version, trace, parent, flags = seen["traceparent"].split("-")
        self.assertEqual(version, "00")
        return seen, trace, parent, flags

    def test_a_foreign_caller_gets_a_trace_of_its_own_and_the_bff_is_its_child(self):
        seen, trace, parent, flags = self.context(*FOREIGN)
        self.assertNotEqual(trace, TRACE)
        self.assertNotIn("vendor", str(seen))
        self.assertNotIn("baggage", seen)
        self.assertEqual(flags, "01")
        [own] = wait_for(lambda: self.collector.of(trace))
        self.assertEqual((own["id"], own["parent"], own["kind"]), (parent, "", SERVER))
        self.assertEqual(own["name"], "gateway web")
        self.assertEqual(self.collector.services, {"gateway"})
        self.assertEqual(own["attributes"]["http.status_code"], "200")
        self.assertEqual(own["attributes"]["guid:x-request-id"], seen["x-request-id"])

    def test_the_trace_of_a_trusted_caller_goes_on(self):
        seen, trace, parent, flags = self.context(*FOREIGN, source=TRUSTED)
        self.assertEqual((trace, flags, seen["tracestate"], seen["baggage"]), (TRACE, "01", "vendor=a", "user=b"))
        own = wait_for(lambda: [span for span in self.collector.of(TRACE) if span["id"] == parent])[0]
        self.assertEqual(own["parent"], PARENT)

    def test_a_trusted_caller_decides_what_is_sampled(self):
        quiet = [header.replace("-01", "-00") for header in FOREIGN]
        _, trace, _, flags = self.context(*quiet, source=TRUSTED)
        self.assertEqual((trace, flags), (TRACE, "00"))

    def test_a_trusted_caller_is_no_user(self):
        seen, *_ = self.context("X-User-Id: u_1", "b3: 1", "X-Request-Id: mine", source=TRUSTED)
        self.assertEqual({name for name in seen if name in ("x-user-id", "b3")}, set())
        self.assertNotEqual(seen["x-request-id"], "mine")

    def test_a_span_says_nothing_secret(self):
        _, trace, *_ = self.context("Authorization: Bearer secret", "Cookie: a=secret", path="/web/auth/callback?code=secret")
        [own] = wait_for(lambda: self.collector.of(trace))
        self.assertNotIn("secret", json.dumps(own))
        self.assertNotIn("callback", json.dumps(own))

    def test_no_name_is_made_of_what_a_client_says(self):
        for path, name in [("/nowhere/else", "gateway "), ("/partner/v1/orders?a=b", "gateway partner")]:
            request_id = self.get(path)[1]["x-request-id"]
            [own] = wait_for(lambda: self.collector.about(request_id))
            self.assertEqual(own["name"], name)


class NoCollector(RunningGateway):
    def test_a_trace_begins_and_is_not_sampled_more_often_than_was_said(self):
        seen = [self.seen("/web/x", *FOREIGN)["traceparent"] for _ in range(20)]
        for one in seen:
            self.assertRegex(one, "^00-[0-9a-f]{32}-[0-9a-f]{16}-00$")
            self.assertNotIn(TRACE, one)
        self.assertEqual(len(set(seen)), 20)

    @classmethod
    def arguments(cls):
        return [*super().arguments(), "--trace-sampling", "0"]


class Arguments(unittest.TestCase):
    def test_a_network_is_one(self):
        self.assertEqual(str(tracing.network("10.0.0.0/8")), "10.0.0.0/8")
        for bad in ["10.0.0.1/8", "a", "", "10.0.0.0/33"]:
            with self.subTest(bad), self.assertRaises(tracing.BadNetwork):
                tracing.network(bad)


if __name__ == "__main__":
    unittest.main()
