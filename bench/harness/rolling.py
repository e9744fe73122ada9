"""A rolling restart under load, and a replica that is killed under load: what of the traffic was lost."""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from demo.credentials import api_key  # of scripts/demo
from deployment import UPSTREAMS, fetch
from fleet import PREFIXES
from mix import STOCK
from processes import Failure
from system import WEB_ORIGIN, session
from traffic import Class, Phase, count, send

USERS = 40
# The clients of both versions of HTTP send the same.
PROTOCOLS = ("http1", "http2")
WEIGHTS = {"dashboard": 3, "home": 4, "partner": 3, "checkout": 1}
# How long one restart takes at most: what has not begun by then is not begun at all.
ONE_RESTART_SECONDS = 12
BEFORE_SECONDS, KILLED_SECONDS, AFTER_SECONDS = 5, 10, 5
# The log has a request at the time when it came: those that were killed came earlier, by as long as one may take.
SLOWEST_SECONDS = 3
# While one is killed, its requests take so long: else there would be hardly any of them under way.
SLOW = [{"path": "*", "mode": "latency", "latencyMs": 150}]


@dataclass(frozen=True)
class Effort:
    """How many requests are sent while replicas are restarted, and how many a second."""

    requests: int
    rate: int

    @property
    def seconds(self):
        return -(-self.requests * 101 // (self.rate * 100))  # chance spaces them: a little longer, so that they are not fewer


@dataclass
class Lost:
    """What came of the requests of a phase."""

    sent: int
    degraded: int
    failed: int
    # Of those that failed: no BFF has answered them.
    unanswered: int
    reasons: dict


@dataclass
class Result:
    """What both parts showed."""

    restarts: int
    rolling: Lost
    killed: Lost
    # The most that can have been under way at the replica that was killed.
    in_flight: int
    killed_name: str
    lag_ms: float
    classes: dict


class Roll:
    """What is done to the fleet as each phase begins."""

    def __init__(self, fleet, effort, say):
        self.fleet = fleet
        self.effort = effort
        self.say = say
        self.restarts = 0
        self.victim = fleet.of("web-bff")[0]

    def phases(self):
        rate = self.effort.rate
        return [
            Phase("before", BEFORE_SECONDS, rate),
            Phase("rolling", self.effort.seconds, rate, self.restart_all),
            Phase("killed", KILLED_SECONDS, rate, self.kill_one),
            Phase("after", AFTER_SECONDS, rate),
        ]

    def restart_all(self):
        """One after the other, round after round, until the next could outlast the phase."""
        end = time.monotonic() + self.effort.seconds
        while True:
            for replica in self.fleet.replicas:
                if time.monotonic() + ONE_RESTART_SECONDS > end:
                    return
                began = time.monotonic()
                self.fleet.restart(replica)
                self.restarts += 1
                self.say(f"  {replica.name} restarted in {time.monotonic() - began:.1f} s")

    def kill_one(self):
        self.fleet.faults("orders", SLOW)
        time.sleep(2)
        before = self.fleet.host_stats(self.victim)
        self.killed_at = datetime.now(timezone.utc).isoformat()
        self.fleet.kill(self.victim)
        time.sleep(1)
        after = self.fleet.host_stats(self.victim)
        # Those that were there, and those that came between the look and the kill.
        self.in_flight = int(before["rq_active"]) + int(after["rq_total"]) - int(before["rq_total"])
        self.say(f"  {self.victim.name} killed")
        self.fleet.faults("orders", [])
        self.fleet.run(self.victim)
        self.fleet.wait_until_healthy(self.victim)


class Unwatched:
    """Nobody looks at the replicas from beside: they come and go."""

    def enter(self, _):
        pass


def run(fleet, effort, say):
    roll = Roll(fleet, effort, say)
    traffic = send(fleet, roll.phases(), classes(fleet), Unwatched())
    log = fleet.end_gateway()
    slow = timedelta(seconds=SLOWEST_SECONDS)
    around_the_kill = (datetime.fromisoformat(roll.killed_at) - slow).isoformat()
    return Result(
        restarts=roll.restarts,
        rolling=lost(traffic.totals["rolling"], [line for line in log if line["time"] < around_the_kill]),
        killed=lost(traffic.totals["killed"], [line for line in log if line["time"] >= around_the_kill]),
        in_flight=roll.in_flight,
        killed_name=roll.victim.name,
        lag_ms=traffic.lag_ms(),
        classes=traffic.totals["rolling"]["classes"],
    )


def lost(total, log):
    """What the clients of a phase say, and the gateway of the same time."""
    reasons = {}
    for outcomes in total["classes"].values():
        for reason, times in outcomes["reasons"].items():
            reasons[reason] = reasons.get(reason, 0) + times
    failed = sum(sum(count([total], None, what)) for what in ("failed", "shed", "unsent"))
    # A flag says what went wrong between the gateway and a BFF; a client without an answer is not in the log.
    unanswered = reasons.get("no answer", 0) + sum(line["status"] >= 500 and line["flags"] != "-" for line in log)
    return Lost(sum(count([total], None, "offered")), sum(count([total], None, "degraded")), failed, unanswered, reasons)


def classes(fleet):
    """What clients ask for, over both versions of HTTP: reads of every BFF, and writes."""
    urls = {bff: fleet.gateway + PREFIXES[bff] for bff in UPSTREAMS}
    cookies = whole_users(fleet)
    tokens = [fleet.user_token(f"u_{number}") for number in range(1, USERS + 1)]
    order = {"X-CSRF": "1", "Origin": WEB_ORIGIN, "Content-Type": "application/json", "Cookie": cookies[0]}
    products = fleet.products(STOCK)
    kinds = [
        Class("dashboard", WEIGHTS["dashboard"], f"{urls['web-bff']}/dashboard", headers={"Cookie": "{pick}"}, picks=cookies),
        Class("home", WEIGHTS["home"], f"{urls['mobile-bff']}/home", headers={"Authorization": "Bearer {pick}"}, picks=tokens),
        Class("partner", WEIGHTS["partner"], f"{urls['partner-bff']}/v1/orders?limit=5", headers={"X-API-Key": api_key("acme")}),
        Class(
            "checkout", WEIGHTS["checkout"], f"{urls['web-bff']}/orders", "POST",
            order | {"Idempotency-Key": "rolling-{n}"}, '{"productId":"{pick}","quantity":1}', products,
        ),
    ]
    return [over(kind, protocol) for kind in kinds for protocol in PROTOCOLS]


def whole_users(fleet):
    """Sessions of users whose dashboards lack nothing: some have ordered what is gone, and are told so."""
    web, found = fleet.of("web-bff")[0].url, []
    for number in range(1, 5 * USERS):
        cookie = session(web, fleet.services["identity"], f"u_{number}")
        if not fetch("GET", f"{web}/dashboard", headers={"Cookie": cookie})["warnings"]:
            found.append(cookie)
        if len(found) == USERS:
            return found
    raise Failure(f"only {len(found)} users have dashboards that lack nothing")


def over(kind, protocol):
    """The same over one version of HTTP."""
    return Class(**{**vars(kind), "name": f"{kind.name} {protocol}", "protocol": protocol})
