"""Looks at the BFFs from beside while they are busy: are they alive, and what do they hold?"""

import json
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from dataclasses import dataclass

PERIOD_SECONDS = 0.25
# A prober that gives up earlier would blame the BFF for a busy machine.
LIVENESS_SECONDS = 3


@dataclass
class Sample:
    """What a BFF held at one moment."""

    phase: str
    at: float
    resident_bytes: int
    open_files: int
    threads: int


class Watch:
    """A context: watches from a thread of its own until it is left."""

    def __init__(self, deployment):
        self._bffs = deployment.bffs
        self._phase = "starting"
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.samples = {name: [] for name in self._bffs}
        self.alive = Counter()
        self.not_alive = []

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._done.set()
        self._thread.join()

    def enter(self, phase):
        self._phase = phase

    def _run(self):
        while not self._done.wait(PERIOD_SECONDS):
            for name, bff in self._bffs.items():
                try:
                    self.samples[name].append(sample(bff.process, self._phase))
                except FileNotFoundError:
                    return  # it has ended, which its owner notices
                self._probe(name, bff)

    def _probe(self, name, bff):
        try:
            with urllib.request.urlopen(f"{bff.admin}/livez", timeout=LIVENESS_SECONDS):
                self.alive[name] += 1
        except (OSError, urllib.error.URLError) as error:
            self.not_alive.append(f"{name} while {self._phase}: {error}")


def sample(process, phase):
    return Sample(phase, time.monotonic(), process.resident_bytes(), process.open_files(), process.threads())


def reject_milliseconds(deployment):
    """How long each BFF took to say that there is too much to do, by its own access log; sorted."""
    times = []
    for bff in deployment.bffs.values():
        with open(bff.process.log, encoding="utf-8") as log:
            for line in log:
                if '"overloaded"' in line and line.startswith("{") and (event := json.loads(line))["message"] == "request":
                    times.append(event["duration_ms"])
    return sorted(times)


def quantile(values, part):
    return values[min(int(len(values) * part), len(values) - 1)]
