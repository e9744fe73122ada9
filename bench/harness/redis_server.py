"""A Redis of the benchmark's own, and what it did."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from processes import Failure, Process, free_port

ROOT = Path(__file__).resolve().parents[2]
# What a connection does for itself and the script that asks.
NOT_OURS = {"info", "ping", "hello", "client", "select", "subscribe"}


@dataclass
class Spent:
    commands: dict
    cpu_seconds: float


class RedisServer:
    """A context. It listens on a socket of TCP, as a shared one would."""

    def __init__(self, work):
        self._work = work

    def __enter__(self):
        made = subprocess.run([ROOT / "scripts/redis"], capture_output=True, text=True, check=False)
        if made.returncode != 0:
            raise Failure(made.stderr.strip())
        program = Path(made.stdout.strip())
        self._client = program.parent / "redis-cli"
        self._work.mkdir(parents=True, exist_ok=True)
        self._port = free_port()
        command = [program, "--port", self._port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self._process = Process("redis", command, self._work)
        self._process.wait_for(lambda log: "Ready to accept connections" in log)
        self.url = f"redis://127.0.0.1:{self._port}/0"
        return self

    def __exit__(self, *_):
        self._process.stop()

    def spent(self):
        """Which commands it has run for the BFFs, how often, and its CPU time."""
        calls = re.findall(r"^cmdstat_([a-z]+)\S*:calls=(\d+)", self._ask("info", "commandstats"), re.MULTILINE)
        commands = {name: int(count) for name, count in calls if name not in NOT_OURS}
        return Spent(commands, self._process.cpu_seconds())

    def used_bytes(self):
        return int(re.search(r"^used_memory:(\d+)", self._ask("info", "memory"), re.MULTILINE).group(1))

    def _ask(self, *command):
        return subprocess.run([self._client, "-p", str(self._port), *command], capture_output=True, text=True, check=True).stdout
