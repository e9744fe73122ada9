"""What telemetry costs: a screen with it on in several ways, each asked at the same time as one with it off."""

import json
import re
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from measure import CONNECTIONS, SCREENS, Program, load, median, run_round, spread
from system import SPANS_LEAVE_AFTER_MS, exporting

# After a round, so that its spans have left when its CPU is read.
SETTLE_SECONDS = 1.5 * SPANS_LEAVE_AFTER_MS / 1000
# Connections to each of two that are asked at once.
EACH = CONNECTIONS // 2
# How much of the CPU with telemetry off the same screen may cost with it on.
AIMS = {"1 % of traces": 1.03, "all traces": 1.10}
# And its p99, when nothing takes what is sent.
P99_AIM = 1.02
LOST = ("all traces, no collector", "all traces, a silent collector")


@dataclass
class Way:
    """A BFF with telemetry in one way."""

    name: str
    program: Program
    # With telemetry off, asked at the same time.
    beside: Program
    admin: str
    # Where its telemetry goes and is counted, if anywhere.
    collector: str = ""
    requests: int = 0
    before: dict = field(default_factory=dict)
    arrived: dict = field(default_factory=dict)
    dropped: float = 0


@dataclass
class Costs:
    screen: object
    ways: list


def ratios(way, what="cpu_us"):
    """Of one way by that with telemetry off, round by round."""
    pairs = zip(getattr(way.program, what), getattr(way.beside, what))
    return [with_it / without for with_it, without in pairs]


def measure(system, effort, say):
    return [measure_screen(system, screen, effort, say) for screen in SCREENS]


def measure_screen(system, screen, effort, say):
    ways = start(system, screen)
    for program in (ways[0].beside, *(way.program for way in ways)):
        load(system, program, EACH, ["--seconds", effort.warm_up])
    time.sleep(SETTLE_SECONDS)
    for way in ways:
        way.before = counts(way)
    for _ in range(rounds(effort)):
        for way in ways:
            way.requests += ask(system, way, effort.seconds)
    for way in ways:
        way.arrived = arrived(way)
        way.dropped = dropped(way.admin)
    for program in (ways[0].beside, *(way.program for way in ways)):
        program.process.stop()
    said = ", ".join(f"{way.name} {median(ratios(way)):.2f} ×" for way in ways)
    say(f"{screen.path}, CPU by that with telemetry off: {said}")
    return Costs(screen, ways)


def rounds(effort):
    """Half of what a comparison with the bare program has: there are more to ask in each."""
    return effort.rounds // 2


def start(system, screen):
    """Call for call, as where a screen is compared with the bare program: then every upstream call has its span."""
    counted = {name: system.collector() for name in AIMS}
    share = {"1 % of traces": "0.01", "all traces": "1"}
    settings = {name: exporting(url, share[name]) for name, url in counted.items()}
    settings |= {LOST[0]: exporting(system.nowhere(), "1"), LOST[1]: exporting(system.collector(silent=True), "1")}
    off = system.bff(screen.bff, shares=False, settings={})
    ways = []
    for name, variables in settings.items():
        bff = system.bff(screen.bff, shares=False, settings=variables)
        program, beside = (Program(one.process, one.url + screen.path, one.credential) for one in (bff, off))
        ways.append(Way(name, program, beside, bff.admin, counted.get(name, "")))
    return ways


def ask(system, way, seconds):
    """Both at once: the machine is then the same for both, however fast it is at the moment. How many requests the one
    with telemetry answered."""
    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(run_round, program, lambda program=program: one_of_both(system, program, seconds)) for program in (way.program, way.beside)]
    return [run.result() for run in runs][0]["requests"]


def one_of_both(system, program, seconds):
    report = load(system, program, EACH, ["--seconds", seconds])
    time.sleep(SETTLE_SECONDS)
    return report


def counts(way):
    if not way.collector:
        return {}
    with urllib.request.urlopen(f"{way.collector}/counts", timeout=5) as answer:
        return json.load(answer)


def arrived(way):
    """{signal: {"exports", "bytes", "items"}} of what came while it was measured."""
    now = counts(way)
    return {signal: {what: now[signal][what] - way.before[signal][what] for what in now[signal]} for signal in now}


def dropped(admin):
    """What the BFF says that it could not send."""
    with urllib.request.urlopen(f"{admin}/metrics", timeout=5) as answer:
        text = answer.read().decode()
    return sum(map(float, re.findall(r"^triptych_telemetry_dropped_total\{.*\} (\S+)$", text, re.MULTILINE)))


def table(costs_of_screens):
    """One row for each way, beside that with telemetry off."""
    lines = ["| | CPU µs/request | off | ratio | p99 ms | off | ratio | spans that arrived/request | dropped |", "|---|" + "---:|" * 8]
    for costs in costs_of_screens:
        for way in costs.ways:
            cells = [f"`{costs.screen.path}`, {way.name}"]
            cells += [f"{median(program.cpu_us):.0f}" for program in (way.program, way.beside)]
            cells += [spread(ratios(way), ".2f")]
            cells += [f"{median(program.p99_us) / 1e3:.2f}" for program in (way.program, way.beside)]
            cells += [spread(ratios(way, "p99_us"), ".2f")]
            spans = way.arrived.get("traces", {}).get("items")
            cells += ["" if spans is None else f"{spans / way.requests:.2f}", f"{way.dropped:,.0f}"]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def aims(costs_of_screens):
    """What is aimed at, the figure of the worse screen, the limit, and how both are written."""

    def worst(name, what="cpu_us"):
        ways = (way for costs in costs_of_screens for way in costs.ways if way.name == name)
        return max(median(ratios(way, what)) for way in ways)

    return [
        *((f"CPU with {name}, by that with telemetry off", worst(name), limit, ".2f", "×") for name, limit in AIMS.items()),
        *((f"p99 with {name}, by that with telemetry off", worst(name, "p99_us"), P99_AIM, ".2f", "×") for name in LOST),
    ]
