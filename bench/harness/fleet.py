"""Two replicas of each BFF behind the real gateway, with a Redis for what they share."""

import base64
import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from deployment import SETTINGS, UPSTREAMS, Deployment
from processes import Failure, Process
from system import SERVICES, SHOP_ARGUMENTS, WEB_ORIGIN, is_ready, listening

ROOT = Path(__file__).resolve().parents[2]
REPLICAS = 2
PREFIXES = {"web-bff": "/web", "mobile-bff": "/mobile", "partner-bff": "/partner"}
# As long as the gateway may take to notice that a replica is leaving, and some more: the default of every BFF.
LAME_DUCK = "5s"
ENDS_WITHIN_SECONDS = 30
# Below those that connections get: while a replica is down, nobody else may take its port.
FIRST_PORT = 22_000
PORTS = 10_000


@dataclass
class Replica:
    """One process of a BFF, or the place of one."""

    bff: str
    name: str
    port: int
    admin_port: int
    process: Process = None
    starts: int = 0

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def endpoint(self):
        """As `scripts/gateway` is told of it."""
        return f"127.0.0.1:{self.port}/{self.admin_port}"


class Fleet(Deployment):
    """A context, as a deployment is, with replicas instead of single BFFs."""

    def __init__(self, binaries, work, redis_server, settings=None):
        super().__init__(binaries, work)
        self.redis_server = redis_server
        self.settings = settings or {}
        self.replicas = []
        self._ports = free_ports()

    def __enter__(self):
        try:
            self.redis = f"redis://127.0.0.1:{self._start_redis()}/0"
            names = {*SERVICES, "identity"}
            self.services = self.start("demo-shop", *SHOP_ARGUMENTS).wait_for(lambda log: listening(log, names))
            self.session_key = base64.b64encode(os.urandom(32)).decode()
            for bff in UPSTREAMS:
                for number in range(1, REPLICAS + 1):
                    replica = Replica(bff, f"{bff}-{number}", next(self._ports), next(self._ports))
                    self.replicas.append(replica)
                    self.run(replica)
            self.gateway, self.gateway_admin = self._start_gateway()
            return self
        except BaseException:
            self.stop()
            raise

    def of(self, bff):
        return [replica for replica in self.replicas if replica.bff == bff]

    def run(self, replica):
        """Starts it, and waits until it is ready."""
        command = [self.binaries / replica.bff, "serve", "--config", SETTINGS / f"{replica.bff}.toml"]
        replica.starts += 1
        name = f"{replica.name}.{replica.starts}"  # with a log of its own
        replica.process = self._add(Process(name, command, self.work, self._settings_of(replica)))
        replica.process.wait_for(lambda _: is_ready(f"http://127.0.0.1:{replica.admin_port}/readyz"))

    def restart(self, replica):
        """As an orchestrator does it: SIGTERM, its end, a new one, and a wait until the gateway believes in it."""
        replica.process.popen.send_signal(signal.SIGTERM)
        try:
            code = replica.process.popen.wait(ENDS_WITHIN_SECONDS)
        except subprocess.TimeoutExpired:
            raise Failure(f"{replica.name} does not end: see {replica.process.log}") from None
        if code != 0:
            raise Failure(f"{replica.name} ended with {code}: see {replica.process.log}")
        self._processes.remove(replica.process)
        self.run(replica)
        self.wait_until_healthy(replica)

    def kill(self, replica):
        """SIGKILL: it is gone before it can do anything."""
        self._processes.remove(replica.process)
        replica.process.stop()

    def wait_until_healthy(self, replica):
        deadline = time.monotonic() + ENDS_WITHIN_SECONDS
        while self.host_stats(replica)["health_flags"] != "healthy":
            if time.monotonic() > deadline:
                raise Failure(f"the gateway does not find {replica.name} healthy")
            time.sleep(0.05)

    def end_gateway(self):
        """Ends it so that its access log is whole, and returns the log's lines."""
        self.gateway_process.popen.terminate()
        self.gateway_process.popen.wait(ENDS_WITHIN_SECONDS)
        lines = self.gateway_process.log.read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def host_stats(self, replica):
        """What the gateway knows of a replica, {"rq_active": "3", "health_flags": "healthy", …}."""
        prefix = f"{replica.bff}::127.0.0.1:{replica.port}::"
        with urllib.request.urlopen(f"{self.gateway_admin}/clusters", timeout=5) as answer:
            lines = answer.read().decode().splitlines()
        return dict(line.removeprefix(prefix).split("::", 1) for line in lines if line.startswith(prefix))

    def _add(self, process):
        self._processes.append(process)
        return process

    def _settings_of(self, replica):
        settings = {
            "BFF__LISTEN": f"127.0.0.1:{replica.port}",
            "BFF__ADMIN__LISTEN": f"127.0.0.1:{replica.admin_port}",
            "BFF__PUBLIC_URL": WEB_ORIGIN,
            "BFF__IDENTITY__PROVIDER_URL": self.services["identity"],
            "BFF__STORE__URL": self.redis,
            "BFF__SERVER__LAME_DUCK": LAME_DUCK,
        }
        if replica.bff == "web-bff":
            settings |= {"BFF__SESSION__SINGLE_REPLICA": "false", "BFF__SESSION__KEY": self.session_key}
        for service in UPSTREAMS[replica.bff]:
            settings[f"BFF__UPSTREAMS__{service.upper()}__URL"] = self.services[service]
        return settings | self.settings

    def _start_redis(self):
        port = next(self._ports)
        place = ["--bind", "127.0.0.1", "--port", port, "--dir", self.work, "--save", "", "--appendonly", "no"]
        redis = self._add(Process("redis", [self.redis_server, *place], self.work))
        redis.wait_for(lambda log: "Ready to accept connections" in log)
        return port

    def _start_gateway(self):
        """Where it is asked, and where it says how it is."""
        admin_file = self.work / "gateway.admin"
        admin_file.unlink(missing_ok=True)
        any_port = "127.0.0.1:0"
        command = [ROOT / "scripts/gateway", "--listen", any_port, "--admin", any_port, "--admin-file", admin_file]
        for bff, prefix in PREFIXES.items():
            command += [f"--{prefix[1:]}", ",".join(replica.endpoint for replica in self.of(bff))]
        # All of the load comes from one address.
        command += ["--provider", self.services["identity"].removeprefix("http://"), "--rate", "off"]
        gateway = self._add(Process("gateway", command, self.work))
        admin = gateway.wait_for(lambda _: admin_file.exists() and admin_file.read_text(encoding="utf-8"))
        gateway.wait_for(lambda _: is_ready(f"http://{admin}/ready"))
        self.gateway_process = gateway
        with urllib.request.urlopen(f"http://{admin}/listeners", timeout=5) as answer:
            listeners = dict(line.split("::", 1) for line in answer.read().decode().splitlines())
        return f"http://{listeners['edge']}", f"http://{admin}"


def free_ports():
    """Ports that are free now, other ones in every process that runs at the same time."""
    for number in range(PORTS):
        port = FIRST_PORT + (os.getpid() * 31 + number) % PORTS
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        yield port
    raise Failure("no port is free")
