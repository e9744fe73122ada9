"""How much of the machine went to others while something was measured: what makes figures unsteady."""

import os
import time
from pathlib import Path

from processes import TICKS


class Neighbours:
    """Watches from its creation on. `running` tells which processes of ours have not ended yet."""

    def __init__(self, running=lambda: []):
        self._running = running
        self._since = self._now()

    def share(self):
        """The part of all cores' time that was spent on processes that are not ours."""
        (wall, busy, ours) = (now - then for now, then in zip(self._now(), self._since))
        return max(0.0, busy - ours) / (wall * os.cpu_count())

    def _now(self):
        spent = os.times()  # of this script, and of all that it has started and seen end
        ours = spent.user + spent.system + spent.children_user + spent.children_system
        ours += sum(process.cpu_seconds() for process in self._running())
        return time.perf_counter(), busy_seconds(), ours


def busy_seconds():
    """Time of all cores that was not idle, time that the hypervisor gave to others included."""
    user, nice, system, _idle, _iowait, irq, softirq, steal = Path("/proc/stat").read_text(encoding="ascii").split()[1:9]
    return sum(map(int, (user, nice, system, irq, softirq, steal))) / TICKS
