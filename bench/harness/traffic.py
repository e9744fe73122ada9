"""Open-loop traffic in phases, and what came of it second by second."""

import json
import time
from dataclasses import dataclass, field
from typing import Callable

from processes import Failure

# A client gives up later than any BFF: so what is late is the BFF's to say.
CLIENT_SECONDS = 12
MOST_IN_FLIGHT = 3000
OUTCOMES = ("good", "degraded", "shed", "failed")


@dataclass
class Phase:
    """A span of time with one rate of requests."""

    name: str
    seconds: int
    rate: float
    begin: Callable = lambda: None  # what changes in the services as it begins
    every: float = float("inf")  # and again after so many seconds


@dataclass
class Class:
    """Requests of one kind, and their share of all."""

    name: str
    weight: float
    url: str
    method: str = "GET"
    headers: dict = field(default_factory=dict)
    body: str = ""
    picks: list = field(default_factory=list)
    tries: int = 1
    pauseMs: int = 500  # before it tries again; named as in the plan
    protocol: str = "http1"


class Traffic:
    """What came of it: one record for each second and one for each phase, as `open-load` writes them."""

    def __init__(self, lines):
        self.seconds = [line for line in lines if "second" in line]
        self.totals = {line["total"]: line for line in lines if "total" in line}

    def of(self, phase):
        """The seconds of a phase."""
        return [second for second in self.seconds if second["phase"] == phase]

    def lag_ms(self):
        """How late the generator itself was at worst."""
        return max(total["lagMs"] for total in self.totals.values())


def count(records, names, what):
    """For each class (all, if no names are given) of each record, the number of this outcome."""
    for record in records:
        for name, outcomes in record["classes"].items():
            if names is None or name in names:
                value = outcomes[what]
                yield value["count"] if what in OUTCOMES else value


def share(records, names=None, what="good"):
    """Which part of the requests that were due had this outcome; all of them if there were none."""
    due = sum(count(records, names, "offered"))
    return sum(count(records, names, what)) / due if due else 1.0


def send(deployment, phases, classes, watch):
    """Runs the generator through all phases; the services change as each begins."""
    plan = {
        "seed": 1,
        "maxInFlight": MOST_IN_FLIGHT,
        "timeoutMs": CLIENT_SECONDS * 1000,
        "phases": [{"name": phase.name, "seconds": phase.seconds, "rate": phase.rate} for phase in phases],
        "classes": [vars(one) for one in classes],
    }
    path = deployment.work / "plan.json"
    path.write_text(json.dumps(plan), encoding="utf-8")
    generator = deployment.start("open-load", path)
    generator.wait_for(lambda log: log.startswith('{"started"'))
    end = time.monotonic()
    for phase in phases:
        watch.enter(phase.name)
        began, end = end, end + phase.seconds
        while time.monotonic() < end:
            phase.begin()
            began += phase.every
            wait(deployment, lambda: time.monotonic() >= min(began, end))
    watch.enter("draining")
    limit = time.monotonic() + CLIENT_SECONDS + 5
    wait(deployment, lambda: not generator.is_running() or time.monotonic() > limit)
    lines = generator.log.read_text(encoding="utf-8").splitlines()
    if generator.popen.poll() != 0:
        raise Failure(f"open-load did not end well: {lines[-1]}")
    return Traffic([json.loads(line) for line in lines])


def wait(deployment, done):
    while not done():
        deployment.require_alive()
        time.sleep(0.05)
