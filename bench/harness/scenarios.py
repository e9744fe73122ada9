"""What is done to the BFFs, and what must hold of them meanwhile and afterwards."""

import random
import statistics
import time
from dataclasses import dataclass

from deployment import Deployment
from mix import ON_ORDERS, WEIGHTS, mix, more_screens
from processes import Failure
from promises import Promise, goodput_is_back, liveness, no_amplification
from system import SERVICES
from traffic import Phase, count, send, share
from watch import Watch, quantile, reject_milliseconds, sample

FAULTS = (
    {"mode": "error", "status": 500},
    {"mode": "error", "status": 503},
    {"mode": "latency", "latencyMs": 400},
    {"mode": "hang"},
    {"mode": "reset"},
    {"mode": "drip"},
    {"mode": "truncate"},
    {"mode": "wrong_shape"},
)
FAULTS_CHANGE_SECONDS = 2


@dataclass(frozen=True)
class Effort:
    """How long each phase is, in seconds."""

    warm_up: int
    before: int
    overload: int
    outage: int
    after: int
    back_within: int
    faults: int
    rests: int


@dataclass(frozen=True)
class Capacity:
    """What the orders service can do: so many calls at once, each so long."""

    concurrency: int
    service_time_ms: int

    def per_second(self):
        return self.concurrency * 1000 / self.service_time_ms

    def rate(self, load):
        """Requests a second of the whole mix that call for this part of the capacity."""
        return load * self.per_second() / (1 - WEIGHTS["other"] / sum(WEIGHTS.values()))


@dataclass
class Result:
    """What a scenario showed."""

    title: str
    story: str
    traffic: object
    promises: list
    notes: list


def overload(binaries, work, effort, capacity):
    """Three times of what the orders service can do."""
    with Deployment(binaries, work) as deployment, Watch(deployment) as watch:
        deployment.capacity("orders", capacity.concurrency, capacity.service_time_ms)
        classes = mix(deployment)
        calls_before = deployment.calls("orders")
        normal = capacity.rate(0.5)
        phases = [
            Phase("warm-up", effort.warm_up, normal),
            Phase("before", effort.before, normal),
            Phase("3x", effort.overload, capacity.rate(3)),
            Phase("after", effort.after, normal),
        ]
        traffic = send(deployment, phases, classes, watch)
        require_sound(traffic)
        promises = [
            goodput_is_back(traffic, effort.back_within),
            *under_overload(traffic, capacity, effort),
            rejects_are_quick(deployment, effort),
            liveness(watch),
            no_amplification(deployment.calls("orders") - calls_before, traffic, ON_ORDERS),
        ]
    story = (
        f"orders can do {capacity.concurrency} calls at once, {capacity.service_time_ms} ms each, {capacity.per_second():.0f} a second; "
        f"it is asked for half of that, then for three times it during {effort.overload} s, then for half again"
    )
    return Result("3x load", story, traffic, promises, [generator_note(traffic)])


def under_overload(traffic, capacity, effort):
    seconds = traffic.of("3x")
    checkout, batch = share(seconds, {"checkout"}), share(seconds, {"batch"}, "shed")
    good = sum(count(seconds, ON_ORDERS, "good")) / len(seconds) / capacity.per_second()
    due, served = (sum(count(seconds, ON_ORDERS, what)) for what in ("offered", "good"))
    told = sum(count(seconds, ON_ORDERS, "shed")) / max(due - served, 1)
    # The short form is hardly longer than the moment in which the limits find out.
    wanted = 0.95 if effort is SHORT else 0.99
    return [
        Promise("checkouts that succeed at 3x load", f"≥ {wanted:.0%}", f"{checkout:.1%}", checkout >= wanted),
        Promise("batch that is shed at 3x load", "≥ 30 %", f"{batch:.0%}", batch >= 0.3),
        Promise("what is not served is told `overloaded`", "≥ 90 %", f"{told:.0%}", told >= 0.9),
        Promise("goodput at 3x load, by the capacity", "≥ 70 %", f"{good:.0%}", good >= 0.7),
    ]


def rejects_are_quick(deployment, effort):
    times = reject_milliseconds(deployment)
    part, name = (0.5, "half of the") if effort is SHORT else (0.99, "99 % of the")
    what = f"{name} rejects are ready within, at the BFF"
    if not times:
        return Promise(what, "< 10 ms", "nothing was rejected", False)
    measured = f"{quantile(times, part):.2f} ms (p50 {quantile(times, 0.5):.2f}, p99 {quantile(times, 0.99):.2f})"
    return Promise(what, "< 10 ms", measured, quantile(times, part) < 10)


def outage(binaries, work, effort, capacity):
    """The orders service hangs, then resets every connection, then works again."""
    half = effort.outage // 2
    with Deployment(binaries, work) as deployment, Watch(deployment) as watch:
        deployment.capacity("orders", capacity.concurrency, capacity.service_time_ms)
        classes = mix(deployment)
        calls_before, calls = deployment.calls("orders"), {}

        def now(name, *rules):
            deployment.faults("orders", [{"path": "*", **rule} for rule in rules])
            calls[name] = deployment.calls("orders")

        rate = capacity.rate(0.5)
        phases = [
            Phase("warm-up", effort.warm_up, rate),
            Phase("before", effort.before, rate),
            Phase("hangs", half, rate, lambda: now("hangs", {"mode": "hang"})),
            Phase("resets", effort.outage - half, rate, lambda: now("resets", {"mode": "reset"})),
            Phase("after", effort.after, rate, lambda: now("after")),
        ]
        traffic = send(deployment, phases, classes, watch)
        require_sound(traffic)
        vain = calls["after"] - calls["resets"]
        vain_share = vain / sum(count(traffic.of("resets"), ON_ORDERS, "offered"))
        other = share(traffic.of("hangs") + traffic.of("resets"), {"other"})
        promises = [
            goodput_is_back(traffic, effort.back_within),
            Promise("screens that need no orders, during the outage", "≥ 99 %", f"{other:.1%}", other >= 0.99),
            Promise("calls made in vain, by requests, in its second half", "≤ 10 %", f"{vain_share:.0%}", vain_share <= 0.1),
            liveness(watch),
            no_amplification(deployment.calls("orders") - calls_before, traffic, ON_ORDERS),
        ]
    story = f"at half of the capacity, orders hangs for {half} s, resets every connection for {effort.outage - half} s, and is back"
    return Result("outage", story, traffic, promises, [generator_note(traffic)])


def mixed_faults(binaries, work, effort, capacity):
    """Every service fails in changing ways; afterwards nothing may be left of it."""
    chance = random.Random(1)
    with Deployment(binaries, work) as deployment, Watch(deployment) as watch:
        start = {name: sample(bff.process, "start") for name, bff in deployment.bffs.items()}
        classes = mix(deployment)
        rate = capacity.rate(0.25)
        phases = [
            Phase("warm-up", effort.warm_up, rate),
            Phase("before", effort.before, rate),
            Phase("faults", effort.faults, rate, lambda: change_faults(deployment, chance), every=FAULTS_CHANGE_SECONDS),
            Phase("after", effort.after, rate, lambda: mend(deployment)),
        ]
        traffic = send(deployment, phases, [*classes, *more_screens(deployment, classes)], watch)
        require_sound(traffic)
        left = wait_for_rest(deployment, start, effort.rests)
        promises = [
            goodput_is_back(traffic, effort.back_within),
            *(memory_is_flat(name, watch.samples[name]) for name in deployment.bffs),
            *(returned(name, start[name], left[name]) for name in deployment.bffs),
            liveness(watch),
        ]
    story = (
        f"{effort.faults} s in which every {FAULTS_CHANGE_SECONDS} s each service gets another fault (errors, latency, hangs, resets, "
        "drips, cut-off and wrong answers) for 10 to 30 % of its calls, then none"
    )
    return Result("mixed faults", story, traffic, promises, [generator_note(traffic)])


def change_faults(deployment, chance):
    deployment.restock()
    for service in SERVICES:
        deployment.faults(service, [{"path": "*", "rate": chance.uniform(0.1, 0.3), **chance.choice(FAULTS)}])


def mend(deployment):
    for service in SERVICES:
        deployment.faults(service, [])


def wait_for_rest(deployment, start, seconds):
    """What the BFFs hold once it is no more than at the start, or after so many seconds."""
    limit = time.monotonic() + seconds
    while True:
        left = {name: sample(bff.process, "rest") for name, bff in deployment.bffs.items()}
        if time.monotonic() > limit or all(left[name].open_files <= start[name].open_files for name in left):
            return left
        time.sleep(0.2)


def returned(name, start, left):
    held = lambda one: f"{one.open_files} files, {one.threads} threads"
    back = left.open_files <= start.open_files and left.threads <= start.threads
    return Promise(f"{name} holds what it held at the start", held(start), held(left), back)


def memory_is_flat(name, samples):
    """The last quarter against the second: the first still warms up."""
    busy = [one for one in samples if one.phase == "faults"]
    sizes, quarter = [one.resident_bytes for one in busy], len(busy) // 4
    early, late = (statistics.median(part) for part in (sizes[quarter : 2 * quarter], sizes[-quarter:]))
    slope = statistics.linear_regression([one.at / 60 for one in busy[quarter:]], sizes[quarter:]).slope
    limit = early * 0.1 + (2 << 20)
    measured = f"{(late - early) / 1e6:+.1f} MB, to {late / 1e6:.0f} MB, {slope / 1e6:+.2f} MB a minute"
    return Promise(f"{name}'s memory from the second to the last quarter", f"≤ {limit / 1e6:+.1f} MB", measured, late - early <= limit)


def require_sound(traffic):
    """A run whose quiet start was not whole shows nothing."""
    whole = share(traffic.of("before"))
    if whole < 0.98:
        reasons = {}
        for name, outcomes in traffic.totals["before"]["classes"].items():
            reasons[name] = outcomes["reasons"] or f"{outcomes['degraded']['count']} degraded"
        raise Failure(f"before anything happened only {whole:.1%} of the answers were whole: {reasons}")


def generator_note(traffic):
    return f"The generator was at most {traffic.lag_ms():.0f} ms late."


# A breaker judges the last ten seconds, so that an outage shorter than this would be over before it had learned of it.
SHORT = Effort(warm_up=2, before=4, overload=10, outage=20, after=9, back_within=6, faults=14, rests=10)


def full(minutes):
    """The spans that the promise speaks of; what is left of the minutes goes to the faults."""
    faults = max(minutes * 60 - 300, 120)
    return Effort(warm_up=5, before=15, overload=60, outage=30, after=45, back_within=30, faults=faults, rests=30)


ALL = {"overload": overload, "outage": outage, "faults": mixed_faults}
