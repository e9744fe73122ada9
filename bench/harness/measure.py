"""What is measured, and how."""

import json
import math
import statistics
import subprocess
import threading
import urllib.request
from dataclasses import dataclass, field

from processes import Failure, die_with_parent
from system import exporting

CONNECTIONS = 16
MANY_CONNECTIONS = 64
# What a busy machine may make a BFF give up, as a part of the answers that were whole.
MOST_LOST = 0.01


@dataclass(frozen=True)
class Screen:
    bff: str
    path: str


SCREENS = (Screen("mobile-bff", "/home"), Screen("web-bff", "/dashboard"))


@dataclass(frozen=True)
class Effort:
    """How long is measured. Many short rounds: what disturbs the machine then meets both programs alike."""

    rounds: int
    seconds: float
    warm_up: float
    starts: int


FULL = Effort(rounds=30, seconds=1.5, warm_up=3, starts=15)
SHORT = Effort(rounds=12, seconds=1, warm_up=1.5, starts=5)


@dataclass
class Program:
    """One of the two that answer a screen, with one value per round."""

    process: object
    url: str
    # The header that makes a request the user's.
    credential: str
    idle_bytes: int = 0
    busy_bytes: int = 0
    cpu_us: list = field(default_factory=list)
    per_second: list = field(default_factory=list)
    p50_us: list = field(default_factory=list)
    p99_us: list = field(default_factory=list)


@dataclass
class Comparison:
    screen: Screen
    bare: Program
    # The BFF call for call, and sharing: asked by one user, and by another one with each request.
    bff: Program
    one_user: Program
    many_users: Program
    body_bytes: int

    def ratios(self, program=None):
        """CPU of the BFF by that of the bare program, round by round."""
        measured = program or self.bff
        return [bff / bare for bare, bff in zip(self.bare.cpu_us, measured.cpu_us)]


def compare(system, screen, effort, say):
    """All programs up at once, asked in turn; those that are not asked do nothing."""
    sampling = exporting(system.collector(), "0.01")
    alone, sharing = (system.bff(screen.bff, shares, sampling) for shares in (False, True))
    bff, one_user = (Program(one.process, one.url, one.credential) for one in (alone, sharing))
    bare = Program(*system.bare(), alone.credential)
    programs = (bare, bff, one_user)
    for program in programs:
        program.idle_bytes = program.process.resident_bytes()
        program.url += screen.path
    body_bytes = require_same_answer(bare, bff)
    # After a look at what is idle: on the web, users get their sessions by signing in.
    credentials = system.credentials(screen.bff, sharing.url)
    many_users = Program(sharing.process, one_user.url, one_user.credential)
    comparison = Comparison(screen, bare, bff, one_user, many_users, body_bytes)
    for program in programs:
        load(system, program, CONNECTIONS, ["--seconds", effort.warm_up])
    run_users(system, sharing, many_users, credentials, seconds=0)
    for number in range(1, effort.rounds + 1):
        for program in programs:
            run_round(program, lambda: load(system, program, CONNECTIONS, ["--seconds", effort.seconds]))
        run_round(many_users, lambda: run_users(system, sharing, many_users, credentials, effort.seconds))
        if number % 10 == 0 or number == effort.rounds:
            say(f"{screen.path}: {number} of {effort.rounds} rounds, {median(comparison.ratios()):.2f} × the bare program's CPU")
    for program in programs:
        program.busy_bytes = most_resident_bytes(system, program, effort.warm_up)
        program.process.stop()
    return comparison


def run_round(program, run):
    before = program.process.cpu_seconds()
    report = run()
    used = program.process.cpu_seconds() - before
    program.cpu_us.append(used * 1e6 / report["requests"])
    program.per_second.append(report["requests"] / report["seconds"])
    program.p50_us.append(report["p50_us"])
    program.p99_us.append(report["p99_us"])
    return report


def run_users(system, bff, program, credentials, seconds):
    """Every user asks once, all that is kept is forgotten, and so on: nobody finds what was kept for them.

    What is kept for all is asked for again as often, which is once in as many requests as there are users.
    """
    reports, spent = [], 0
    while not reports or spent < seconds:
        bff.forget()
        reports.append(load(system, program, CONNECTIONS, ["--credentials", credentials]))
        spent += reports[-1]["seconds"]
    requests = sum(report["requests"] for report in reports)
    middle = {name: median(report[name] for report in reports) for name in ("p50_us", "p99_us")}
    return {"requests": requests, "seconds": spent, **middle}


def load(system, program, connections, how, most_lost=MOST_LOST):
    """One run of the load generator; too many answers that are not a whole screen are a failure."""
    command = [system.binaries / "load", program.url, "--header", program.credential, "--may-shed"]
    command += ["--connections", str(connections), *map(str, how)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, preexec_fn=die_with_parent)
    if done.returncode != 0:
        raise Failure(f"{program.process.name}: {done.stderr.strip()}")
    report = json.loads(done.stdout)
    if report["shed"] > most_lost * report["requests"]:
        raise Failure(f"{program.process.name}: {report['shed']} answers beside {report['requests']} were not whole")
    return report


def most_resident_bytes(system, program, seconds):
    """The most memory that was resident while many connections asked, more than the upstreams are asked with at once."""
    most, done = 0, threading.Event()

    def watch():
        nonlocal most
        while not done.wait(0.05):
            most = max(most, program.process.resident_bytes())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        load(system, program, MANY_CONNECTIONS, ["--seconds", seconds], most_lost=math.inf)
    finally:
        done.set()
        watcher.join()
    return most


def milliseconds_to_ready(system, name, starts):
    """From starting the process to `/readyz` answering 200, several times."""
    times = []
    for _ in range(starts):
        bff = system.bff(name)
        bff.process.stop()
        times.append(bff.ready_seconds * 1e3)
    return times


def require_same_answer(bare, bff):
    """The size of the BFF's answer, if the bare program's says the same."""
    (said, size), (expected, _) = fetch(bff), fetch(bare)
    if said.get("warnings") != expected.get("warnings"):
        raise Failure(f"{bff.url} lost a section: {said.get('warnings')}")
    if said != expected:
        fields = [key for key in said.keys() | expected.keys() if said.get(key) != expected.get(key)]
        raise Failure(f"the bare program does not answer as the BFF does: they differ in {', '.join(sorted(fields))}")
    return size


def fetch(program):
    name, _, value = program.credential.partition(": ")
    with urllib.request.urlopen(urllib.request.Request(program.url, headers={name: value}), timeout=10) as answer:
        body = answer.read()
    return json.loads(body), len(body)


def median(values):
    return statistics.median(values)


def spread(values, form):
    """The median, with the range of the middle half."""
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return f"{middle:{form}} ({low:{form}} to {high:{form}})"
