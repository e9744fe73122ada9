"""Tests of what the gateway does when it has too little memory, or too many connections, with the real Envoy."""

import contextlib
import http.client
import select
import socket
import unittest
import urllib.request

from running_gateway import Http2Client, RunningGateway, wait_for


class Overload(RunningGateway):
    def gauge(self, name):
        text = urllib.request.urlopen(f"{self.admin}/stats?filter={name}").read().decode()
        return sum(int(line.rpartition(": ")[2]) for line in text.splitlines())


class Memory(Overload):
    # Twice of what it has when nobody calls.
    HEAP_MIB = 16
    # A head that is nearly as large as one may be, and does not end.
    GREEDY = b"GET /web/x HTTP/1.1\r\nHost: a\r\n" + b"".join(b"a%d: %s\r\n" % (i, b"a" * 1000) for i in range(30))

    @classmethod
    def arguments(cls):
        return [*super().arguments(), "--heap", str(cls.HEAP_MIB)]

    def is_full(self):
        return self.gauge("overload.envoy.overload_actions.stop_accepting_requests.active$")

    def test_without_memory_a_request_is_refused_at_once_and_the_bff_does_not_hear_of_it(self):
        with contextlib.ExitStack() as stack:
            known = stack.enter_context(self.connect("127.0.0.1"))
            self.assertEqual(ask(known)[0], 200)
            self.bff.requests.clear()

            def fill():
                for _ in range(20):
                    greedy = stack.enter_context(socket.create_connection(self.address, timeout=10))
                    greedy.sendall(self.GREEDY)
                return self.is_full()

            wait_for(fill)
            self.assert_problem(ask(known), "overloaded", "/web/x")
            self.assertEqual(self.bff.requests, [])
        wait_for(lambda: not self.is_full())
        self.assertEqual(self.get("/web/x")[0], 200)


def ask(connection):
    """What a GET is answered on a connection that is kept."""
    connection.sendall(b"GET /web/x HTTP/1.1\r\nHost: a\r\n\r\n")
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read().decode()


class Connections(Overload):
    MOST = 8

    @classmethod
    def arguments(cls):
        return [*super().arguments(), "--connections", str(cls.MOST)]

    def test_who_comes_when_it_is_full_is_turned_away_and_nobody_else_suffers(self):
        with contextlib.ExitStack() as stack:
            here = stack.enter_context(Http2Client(self.address))
            here.open(1, "/web/x")
            here.flush()
            self.assertEqual(here.answers(1)[1][0], 200)
            idle = [stack.enter_context(socket.create_connection(self.address, timeout=10)) for _ in range(self.MOST + 4)]
            # Only who is turned away has something to read: the end.
            wait_for(lambda: len(select.select(idle, [], [], 0)[0]) == 5)
            here.open(3, "/web/x")
            here.flush()
            self.assertEqual(here.answers(1)[3][0], 200)
        wait_for(lambda: self.get("/web/x")[0] == 200)


if __name__ == "__main__":
    unittest.main()
