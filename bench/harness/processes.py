"""Processes that are measured: started, asked what they cost, and ended with the script, however it ends."""

import ctypes
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)


class Failure(Exception):
    """What went wrong, in one line for the person at the terminal."""


class Process:
    """A running program with its output in a log file."""

    def __init__(self, name, command, logs, settings=None, number=1):
        """`number` keeps the logs of programs of one name apart."""
        self.name = name
        self.log = logs / (f"{name}.log" if number == 1 else f"{name}-{number}.log")
        self.started = time.perf_counter()
        with open(self.log, "wb") as log:
            # Nothing of the caller's settings gets in.
            environment = {"PATH": os.environ["PATH"], **(settings or {})}
            self.popen = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                preexec_fn=die_with_parent,
            )

    def wait_for(self, found, seconds=10):
        """What `found` makes of the log's text, as soon as that is something."""
        while time.perf_counter() < self.started + seconds:
            if result := found(self.log.read_text(encoding="utf-8")):
                return result
            if self.popen.poll() is not None:
                break
            time.sleep(0.0005)
        tail = self.log.read_text(encoding="utf-8").strip().splitlines()[-1:] or ["it said nothing"]
        raise Failure(f"{self.name} did not start: {tail[0]}")

    def is_running(self):
        return self.popen.poll() is None

    def stop(self):
        """Ends the process at once: what is measured is not how it drains."""
        self.popen.kill()
        self.popen.wait()

    def cpu_seconds(self):
        """What the kernel has charged the process with, its own work and the kernel's on its behalf."""
        text = Path(f"/proc/{self.popen.pid}/stat").read_text(encoding="ascii")
        fields = text.rpartition(")")[2].split()  # the name before it may hold anything
        return (int(fields[11]) + int(fields[12])) / TICKS

    def open_files(self):
        """How many file descriptors it has: sockets, and little else."""
        return len(os.listdir(f"/proc/{self.popen.pid}/fd"))

    def threads(self):
        return len(os.listdir(f"/proc/{self.popen.pid}/task"))

    def resident_bytes(self):
        for line in Path(f"/proc/{self.popen.pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise Failure(f"the kernel does not say what memory {self.name} has")


def die_with_parent():
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def free_port():
    """A port of loopback on which nothing listens now, for programs that cannot choose one themselves."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def accepts(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
