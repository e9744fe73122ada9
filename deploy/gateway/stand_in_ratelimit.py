"""A stand-in for https://github.com/envoyproxy/ratelimit: the wire of its service, and its matching of descriptors.

It counts in memory and its windows do not end, so that a test decides by numbers alone.
"""

import threading
from collections import Counter

from stand_in_grpc import StandInGrpc, fields, write

PATH = "/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit"
OK, OVER_LIMIT = 1, 2
MINUTE = 2
WINDOW_ENDS_IN = 42  # seconds


class StandInRateLimit(StandInGrpc):
    """Reads the settings as the service does; `share` makes each limit that much smaller."""

    def __init__(self, settings, share=1, port=0):
        super().__init__(self.should_rate_limit, port)
        self.settings = settings
        self.share = share
        self.asked = []
        self.counts = Counter()
        self.lock = threading.Lock()

    def should_rate_limit(self, path, message):
        assert path == PATH, path
        request = fields(message)
        descriptors = [entries(fields(one)) for one in request[2]]
        with self.lock:
            self.asked.append((request[1][0].decode(), descriptors))
            codes = [self.count(descriptor) for descriptor in descriptors]
        return write(1, max(codes)) + b"".join(write(2, status(code)) for code in codes)

    def count(self, descriptor):
        limit = limit_of(self.settings["descriptors"], list(descriptor))
        if limit is None:
            return OK
        self.counts[descriptor] += 1
        return OVER_LIMIT if self.counts[descriptor] > limit * self.share else OK


def status(code):
    """What is said of one descriptor: of a limit a minute this is left, and the window ends in so long."""
    limit = write(1, 60) + write(2, MINUTE)
    left = 0 if code == OVER_LIMIT else 1
    return write(1, code) + write(2, limit) + write(3, left) + write(4, write(1, WINDOW_ENDS_IN))


def entries(descriptor):
    """(("path", "sign-in"), …)."""
    return tuple(tuple(part[0].decode() for _, part in sorted(fields(one).items())) for one in descriptor[1])


def limit_of(rules, descriptor):
    """How many requests a descriptor may have, from the rule with its value, else from the one for every value."""
    (key, value), *more = descriptor
    named = [rule for rule in rules if rule["key"] == key and rule.get("value") == value]
    for rule in named or [rule for rule in rules if rule["key"] == key and "value" not in rule]:
        if more:
            return limit_of(rule.get("descriptors", []), more)
        return rule.get("rate_limit", {}).get("requests_per_unit")
    return None
