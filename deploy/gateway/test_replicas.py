"""Tests of how the gateway chooses among the replicas of a BFF, with the real Envoy and stand-in replicas."""

import http.server
import threading
import unittest
import urllib.request

import replicas
from replicas import Replica
from running_gateway import RunningGateway, nobody, wait_for
from stand_in import StandIn


class Readiness(http.server.ThreadingHTTPServer):
    """The admin port of a stand-in replica."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answer)
        self.ready = True
        self.paths = set()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def close(self):
        self.shutdown()
        self.server_close()


class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.paths.add(self.path)
        self.send_response(200 if self.server.ready else 503)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Replicas(RunningGateway):
    """A gateway whose stand-in is both BFFs of the other tests, and one of the replicas here."""

    def setUp(self):
        for server in (self.bff, self.other):
            server.requests.clear()

    def asked(self, path="/web/x", times=40):
        """How many of these requests went to each of the two replicas; none failed."""
        before = len(self.bff.requests), len(self.other.requests)
        for _ in range(times):
            self.assertEqual(self.get(path)[0], 200)
        return len(self.bff.requests) - before[0], len(self.other.requests) - before[1]

    def stats(self, name, cluster="web-bff"):
        text = urllib.request.urlopen(f"{self.admin}/stats?filter=cluster.{cluster}.{name}").read().decode()
        return sum(int(line.rpartition(": ")[2]) for line in text.splitlines())


class Checked(Replicas):
    @classmethod
    def arguments(cls):
        cls.other = StandIn()
        cls.addClassCleanup(cls.other.close)
        cls.readiness = [Readiness(), Readiness()]
        for readiness in cls.readiness:
            cls.addClassCleanup(readiness.close)
        pairs = zip((cls.bff, cls.other), cls.readiness)
        web = ",".join(f"{server.address}/{readiness.server_address[1]}" for server, readiness in pairs)
        return [*super().arguments(), "--web", web]

    def healthy(self, count):
        wait_for(lambda: self.stats("membership_healthy$") == count)

    def tearDown(self):
        for readiness in self.readiness:
            readiness.ready = True
        self.healthy(2)

    def test_each_is_asked_and_only_its_readiness_is_looked_at(self):
        self.healthy(2)
        self.assertGreater(min(self.asked()), 0)
        self.assertEqual([readiness.paths for readiness in self.readiness], [{"/readyz"}] * 2)

    def test_who_drains_is_left_alone_and_comes_back(self):
        self.healthy(2)
        self.readiness[0].ready = False
        self.healthy(1)
        self.assertEqual(self.asked(), (0, 40))
        self.readiness[0].ready = True
        self.healthy(2)
        self.assertGreater(min(self.asked(times=100)), 0)

    def test_when_nobody_is_ready_it_is_rather_them_than_nobody(self):
        self.healthy(2)
        for readiness in self.readiness:
            readiness.ready = False
        self.healthy(0)
        self.assertGreater(min(self.asked()), 0)


class Unchecked(Replicas):
    """No replica has an admin port: what cannot be connected to is noticed by what it costs."""

    @classmethod
    def arguments(cls):
        cls.other = StandIn()
        cls.addClassCleanup(cls.other.close)
        # Of these two each keeps a half of the requests waiting, but for what the gateway does.
        return [*super().arguments(), "--web", f"{cls.bff.address},{nobody()}", "--partner", f"{cls.bff.address},{cls.other.address}"]

    def test_nobody_notices_one_that_is_down(self):
        self.assertEqual(self.asked(), (40, 0))
        self.assertEqual(self.stats("outlier_detection.ejections_enforced_consecutive_local_origin_failure$"), 1)

    def test_the_answers_of_a_bff_are_no_sign_of_its_illness(self):
        for _ in range(30):
            self.assertEqual(self.get("/partner/unwell")[0], 503)
        self.assertEqual(self.stats("outlier_detection.ejections_enforced_total$", "partner-bff"), 0)
        self.assertGreater(min(self.asked("/partner/x")), 0)


class Addresses(unittest.TestCase):
    def test_replicas_are_addresses_with_or_without_an_admin_port(self):
        self.assertEqual(replicas.parse("web-bff:8081"), [Replica("web-bff", 8081)])
        self.assertEqual(replicas.parse("[::1]:80/90,b:81/91"), [Replica("::1", 80, 90), Replica("b", 81, 91)])
        for bad in ["", "a:1,", "a:1/", "a:1/0", "a:1/x", "a:1/70000", "a:1/2,b:1", "a:1/2/3"]:
            with self.subTest(bad), self.assertRaises(replicas.BadAddress):
                replicas.parse(bad)


if __name__ == "__main__":
    unittest.main()
