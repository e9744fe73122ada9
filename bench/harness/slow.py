"""Slow clients by the thousand, and floods of frames: what those beside them notice, and what it costs in memory."""

import re
import signal
import subprocess
import threading
import urllib.parse
from dataclasses import dataclass, replace

import floods
from demo.credentials import api_key  # of scripts/demo
from fleet import PREFIXES
from processes import Failure, die_with_parent
from rolling import Unwatched
from traffic import Class, Phase, send

BFF = "partner-bff"
HEALTHY_RATE = 50
QUIET_SECONDS = 8
# After it began, an attack needs so long until all of its sockets are there.
ATTACK_SECONDS = 15
# The modes of slowhttptest(1): how each begins, and what it asks for. The page of the partners' documentation is the
# largest answer there is.
MODES = {
    "slow headers": ["-H", "-i", "3", "-x", "24", "/docs"],
    "slow body": ["-B", "-i", "3", "-s", "8192", "-x", "10", "-f", f"application/json\r\nX-API-Key: {api_key('acme')}", "/v1/orders"],
    "slow read": ["-X", "-w", "512", "-y", "1024", "-n", "5", "-z", "32", "-k", "3", "/docs"],
    "ranges": ["-R", "-t", "HEAD", "-a", "10", "-b", "3000", "/docs"],
}
FLOODS = {"resets": floods.resets, "CONTINUATION": floods.continuations}
STATUS = re.compile(r"connected:\s+(\d+).*?closed:\s+(\d+)", re.DOTALL)
ESCAPE = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
GROWTH_BYTES = 16 * 1024 * 1024


@dataclass
class Door:
    """A way to the BFF, and the process that stands in it."""

    name: str
    url: str
    process: object


@dataclass
class Attacked:
    """What one mode did through one door: sockets that were opened, and at once, and latencies of the others."""

    door: str
    mode: str
    opened: int
    held: int
    quiet_ms: float
    attacked_ms: float
    failed: int

    @property
    def ratio(self):
        return self.attacked_ms / self.quiet_ms


@dataclass
class Flooded:
    """What one flood came to."""

    door: str
    kind: str
    ended: int
    connections: int
    # How many frames, or pairs of frames, the most patient connection took.
    most: int
    grown_bytes: int


def doors(fleet):
    """Around the gateway, and through it."""
    replica = fleet.of(BFF)[0]
    return [Door("the BFF", replica.url, replica.process), Door("the gateway", fleet.gateway + PREFIXES[BFF], fleet.gateway_process)]


def attack(fleet, door, program, sockets, rounds):
    """Every mode in turn, between quiet times, so that both see the same machine; the medians of the rounds."""
    results = {mode: [] for mode in MODES}
    for _ in range(rounds):
        for mode, result in attack_once(fleet, door, program, sockets).items():
            results[mode].append(result)
    return [middle(several) for several in results.values()]


def attack_once(fleet, door, program, sockets):
    attackers = {mode: Attacker(program, door, mode, sockets, fleet.work) for mode in MODES}
    phases = [Phase("quiet 0", QUIET_SECONDS, HEALTHY_RATE)]
    for number, (mode, attacker) in enumerate(attackers.items(), 1):
        phases.append(Phase(mode, ATTACK_SECONDS, HEALTHY_RATE, attacker.start))
        phases.append(Phase(f"quiet {number}", QUIET_SECONDS, HEALTHY_RATE, attacker.stop))
    healthy = Class("healthy", 1, f"{door.url}/v1/orders?limit=5", headers={"X-API-Key": api_key("acme")})
    try:
        traffic = send(fleet, phases, [healthy], Unwatched())
    finally:
        for attacker in attackers.values():
            attacker.stop()
    of = {name: total["classes"]["healthy"] for name, total in traffic.totals.items()}
    return {
        mode: Attacked(
            door.name, mode, *attackers[mode].sockets(),
            quiet_ms=(of[f"quiet {number}"]["good"]["p99Ms"] + of[f"quiet {number + 1}"]["good"]["p99Ms"]) / 2,
            attacked_ms=of[mode]["good"]["p99Ms"],
            failed=of[mode]["offered"] - of[mode]["good"]["count"],
        )
        for number, mode in enumerate(MODES)
    }


def middle(several):
    """The one whose ratio is the median, with what failed in all of them."""
    ordered = sorted(several, key=lambda result: result.ratio)
    return replace(ordered[len(ordered) // 2], failed=sum(result.failed for result in several))


class Attacker:
    """One run of slowhttptest."""

    def __init__(self, program, door, mode, sockets, work):
        *arguments, path = MODES[mode]
        self.most = sockets
        # No probe of its own: whether the others are served is seen by themselves.
        most = ["-c", sockets, "-r", sockets // 4, "-l", ATTACK_SECONDS, "-p", ATTACK_SECONDS]
        self.command = [str(part) for part in (program, *arguments, *most, "-u", door.url + path)]
        self.log = work / f"slowhttptest-{mode.replace(' ', '-')}.log"
        self.process = None

    def start(self):
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, preexec_fn=die_with_parent
            )

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)  # at others it ends without a word
            self.process.wait()

    def sockets(self):
        """How many were opened, and how many were open at once, at most."""
        text = ESCAPE.sub("", self.log.read_text(encoding="utf-8", errors="replace"))
        counts = [(int(connected), int(closed)) for connected, closed in STATUS.findall(text)]
        if not counts:
            raise Failure(f"slowhttptest says nothing: see {self.log}")
        # It tells how they are every 5 s; those that are answered at once have all come and gone before.
        all_gone = "No open connections left" in text
        opened = self.most if all_gone else max(connected + closed for connected, closed in counts)
        return opened, max(connected for connected, _ in counts)


def flood(door, kind):
    """What a flood does to a connection and to the memory of what stands in the door."""
    host, _, port = urllib.parse.urlsplit(door.url).netloc.partition(":")
    path = urllib.parse.urlsplit(door.url).path + "/docs/none"
    # The first one also pays for what every busy time costs once.
    for _ in range(2):
        with Memory(door.process) as memory:
            ended = floods.flood((host, int(port)), lambda: FLOODS[kind](path))
    count = sum(one.by_the_other_side for one in ended)
    return Flooded(door.name, kind, count, len(ended), max(one.times for one in ended), memory.grown())


class Memory:
    """A context: the most memory that a process has in it, and how much more that is than before."""

    def __init__(self, process):
        self.process = process
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self):
        self.before = self.most = self.process.resident_bytes()
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._done.set()
        self._thread.join()

    def grown(self):
        return max(0, self.most - self.before)

    def _watch(self):
        while not self._done.wait(0.02):
            self.most = max(self.most, self.process.resident_bytes())
