"""What a replica serves and holds: CPU of each screen, memory of connections, and what Envoy and Redis do for a request."""

import base64
import socket
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import python_env  # of scripts
from demo.credentials import api_key
from deployment import UPSTREAMS, Deployment, fetch
from measure import Program, load, median, run_round
from processes import Failure, accepts, free_port
from redis_server import RedisServer
from system import SERVICES

ROOT = Path(__file__).resolve().parents[2]
USER = "u_42"
# So few that no service is asked more than it can do: what is measured is what a request costs, not what a machine serves.
CONNECTIONS = 4
WARM_UP_SECONDS, ROUNDS, ROUND_SECONDS = 0.5, 3, 1
# The cache and coalescing are off: every call of a screen is made, as for a user who was not there for a while.
NOTHING_SHARED = {"CACHE__MAX_BYTES": "0 B"}
FIRST_TRIES = 10
# What is computed: at these rates, of this mix, with this part of each core in use.
RATES = (1_000, 100_000, 1_000_000)
MIX = {"mobile `/home`": 0.75, "web `/dashboard`": 0.25}
BUSY = 0.6
HELD = (1000, 4000)
STREAMS, STREAMS_OF_A_USER = (200, 1000), 5
WRITES = 50
# Above what is held, so that nothing is refused.
MOST_CONNECTIONS = "8192"
SESSION_KEY = base64.b64encode(bytes(range(32))).decode()


@dataclass
class Screen:
    """A request that is measured, with what it cost."""

    name: str
    bff: str
    path: str
    header: str
    cpu_us: float = 0
    envoy_us: float = 0
    redis_us: float = 0
    body_bytes: int = 0
    # Of domain services.
    calls: float = 0
    # {command: how often}; a script counts, and so does each command in it.
    redis: dict = field(default_factory=dict)


@dataclass
class Held:
    """What connections cost that do nothing."""

    name: str
    idle_bytes: int
    each_bytes: float


@dataclass
class Capacity:
    screens: list
    held: list
    # {command: how often} of a write with a key, and what a session takes in Redis.
    write: dict
    session_bytes: float


def measure(binaries, work, say):
    with ExitStack() as stack:
        redis = stack.enter_context(RedisServer(work))
        deployment = stack.enter_context(Deployment(binaries, work, settings(redis.url)))
        gateway, edge = start_gateway(deployment)
        screens = screens_of(deployment)
        for screen in screens:
            measure_screen(deployment, screen, (gateway, edge), redis)
            say(f"{screen.name}: {screen.cpu_us:.0f} µs, Envoy {screen.envoy_us:.0f} µs, Redis: {named(screen.redis)}")
        held = [connections_of(name, bff.process, bff.url) for name, bff in deployment.bffs.items()]
        held.append(connections_of("gateway", gateway, edge))
        write = commands_of_a_write(deployment, redis)
        before = redis.used_bytes()
        sessions = [deployment.session(f"u_{number}") for number in range(1, STREAMS[1] // STREAMS_OF_A_USER + 1)]
        session_bytes = (redis.used_bytes() - before) / len(sessions)
        held.append(streams_of(deployment, sessions))
    return Capacity(screens, held, write, session_bytes)


def settings(redis):
    """What the BFFs of a fleet have; no limit below what is held, and time enough on a machine that is busy."""
    of_all = {"STORE__URL": redis, "SERVER__MAX_CONNECTIONS": MOST_CONNECTIONS, "SERVER__WORKER_THREADS": "2"}
    of_all |= {"REQUESTS__DEADLINE": "10s", "REQUESTS__OPTIONAL_DEADLINE": "9s", **NOTHING_SHARED}
    of_upstream = {"COALESCING": "false", "TIMEOUT": "8s", "CONNECT_TIMEOUT": "2s"}
    found = {}
    for name, services in UPSTREAMS.items():
        own = {f"UPSTREAMS__{service.upper()}__{key}": value for service in services for key, value in of_upstream.items()}
        own |= {"SESSION__KEY": SESSION_KEY} if name == "web-bff" else {}
        found[name] = {f"BFF__{key}": value for key, value in (of_all | own).items()}
    return found


def start_gateway(deployment):
    """Envoy in front of the BFFs, with no limit of rates; its process and its URL."""
    python_env.install(ROOT / "deploy/gateway/requirements.txt", announce=print)
    listen, admin = free_port(), free_port()
    arguments = ["--listen", f"127.0.0.1:{listen}", "--admin", f"127.0.0.1:{admin}"]
    arguments += ["--provider", deployment.services["identity"].removeprefix("http://")]
    for name, bff in deployment.bffs.items():
        arguments += [f"--{name.removesuffix('-bff')}", bff.url.removeprefix("http://")]
    process = deployment.start_command("gateway", [sys.executable, ROOT / "scripts/gateway", *arguments, "--rate", "off"])
    process.wait_for(lambda _: accepts(listen))
    return process, f"http://127.0.0.1:{listen}"


def screens_of(deployment):
    """Every screen that only reads, of one user and of one partner."""
    web = f"Cookie: {deployment.session(USER)}"
    mobile = f"Authorization: Bearer {deployment.user_token(USER)}"
    partner = f"X-API-Key: {api_key('acme')}"
    paths = {
        ("web-bff", web): ["/dashboard", "/orders", "/products?q=a", "/products/p_7"],
        ("mobile-bff", mobile): ["/home", "/orders", "/products?q=a", "/products/p_7"],
        ("partner-bff", partner): ["/v1/orders", "/v1/products", "/v1/products/p_7", "/v1/usage"],
    }
    screens = [Screen(f"{bff.removesuffix('-bff')} `{path}`", bff, path, header) for (bff, header), of in paths.items() for path in of]
    for screen in screens:
        require_whole(deployment, screen)
    return screens


def require_whole(deployment, screen):
    """Only what is nowhere to be found may be missing: some have ordered a product that is gone."""
    name, _, value = screen.header.partition(": ")
    for _ in range(FIRST_TRIES):
        answer = fetch("GET", deployment.bffs[screen.bff].url + screen.path, headers={name: value})
        lost = [warning for warning in answer.get("warnings", ()) if warning["status"] != "not_found"]
        if not lost:
            return
    raise Failure(f"{screen.name} lost a section, {FIRST_TRIES} times: {lost[0]}")


def measure_screen(deployment, screen, gateway, redis):
    """First the BFF alone, then through Envoy."""
    bff, (envoy, edge) = deployment.bffs[screen.bff], gateway
    alone = Program(bff.process, bff.url + screen.path, screen.header)
    behind = Program(envoy, f"{edge}/{screen.bff.removesuffix('-bff')}{screen.path}", screen.header)
    for program in (alone, behind):
        load(deployment, program, CONNECTIONS, ["--seconds", WARM_UP_SECONDS])
    before, calls = redis.spent(), all_calls(deployment)
    reports = rounds_of(deployment, alone)
    after, requests = redis.spent(), sum(report["requests"] for report in reports)
    screen.calls = (all_calls(deployment) - calls) / requests
    rounds_of(deployment, behind)
    screen.cpu_us, screen.envoy_us = median(alone.cpu_us), median(behind.cpu_us)
    screen.body_bytes = reports[0]["body_bytes"]
    screen.redis = {name: (count - before.commands.get(name, 0)) / requests for name, count in after.commands.items()}
    screen.redis_us = (after.cpu_seconds - before.cpu_seconds) * 1e6 / requests


def rounds_of(deployment, program):
    reports = []

    def ask():
        reports.append(load(deployment, program, CONNECTIONS, ["--seconds", ROUND_SECONDS]))
        return reports[-1]

    for _ in range(ROUNDS):
        run_round(program, ask)
    return reports


def all_calls(deployment):
    return sum(deployment.calls(service) for service in SERVICES)


def connections_of(name, process, url):
    """Connections that were used once and are kept."""
    return hold(name, process, url, [request(url, "/nowhere")] * HELD[1], HELD, b"HTTP/1.1 4")


def commands_of_a_write(deployment, redis):
    """Of mobile-bff: an order that is placed, with an `Idempotency-Key` of its own."""
    url, headers = f"{deployment.bffs['mobile-bff'].url}/orders", {"Authorization": f"Bearer {deployment.user_token(USER)}"}
    product, before = deployment.products(WRITES)[0], redis.spent().commands
    for number in range(WRITES):
        key = {"Idempotency-Key": f"capacity-{number}", "Content-Type": "application/json"}
        fetch("POST", url, {"productId": product, "quantity": 1}, headers | key)
    return {name: (count - before.get(name, 0)) / WRITES for name, count in redis.spent().commands.items()}


def streams_of(deployment, sessions):
    """Live events over HTTP/1.1: each has a connection to web-bff and, behind it, one to the orders service."""
    bff = deployment.bffs["web-bff"]
    requests = [request(bff.url, "/events", f"Cookie: {session}\r\n") for session in sessions for _ in range(STREAMS_OF_A_USER)]
    return hold("web-bff, event streams", bff.process, bff.url, requests, STREAMS, b"HTTP/1.1 200")


def request(url, path, more=""):
    return f"GET {path} HTTP/1.1\r\nHost: {url.removeprefix('http://')}\r\n{more}\r\n".encode()


def hold(name, process, url, requests, counts, expected):
    """What is resident once some of the requests were answered, and all of them."""
    host, port = url.removeprefix("http://").split(":")
    sizes, connections = [process.resident_bytes()], []
    try:
        for count in counts:
            for one in requests[len(connections) : count]:
                connections.append(socket.create_connection((host, int(port)), timeout=10))
                connections[-1].sendall(one)
                if not connections[-1].recv(4096).startswith(expected):
                    raise Failure(f"{name}: connection {len(connections)} is not answered as the others are")
            time.sleep(1)  # what was freed meanwhile is given back
            sizes.append(process.resident_bytes())
    finally:
        for connection in connections:
            connection.close()
    return Held(name, sizes[0], (sizes[2] - sizes[1]) / (counts[1] - counts[0]))


def named(commands):
    """What is asked less often than once in a hundred requests is asked by the clock."""
    often = {name: count for name, count in sorted(commands.items()) if count >= 0.01}
    return ", ".join(f"{name} {count:.2f}" for name, count in often.items()) or "none"


def tables(capacity):
    """{name: table}, as docs/capacity.md has places for them."""
    return {"screens": screens_table(capacity), "held": held_table(capacity), "redis": redis_list(capacity), "fleets": fleets(capacity)}


def write(document, found):
    """Puts each table into its place, between two comments of its name."""
    text = document.read_text(encoding="utf-8")
    for name, table in found.items():
        before, begin, rest = text.partition(f"<!-- measured: {name} -->\n")
        _, end, after = rest.partition("<!-- end -->\n")
        if not begin or not end:
            raise Failure(f"{document.name} has no place for {name}")
        text = f"{before}{begin}\n{table}\n\n{end}{after}"
    document.write_text(text, encoding="utf-8")


def screens_table(capacity):
    lines = [
        "| | BFF µs | requests/s of one core | calls | answer bytes | Envoy µs | Redis: commands | Redis µs |",
        "|---|---:|---:|---:|---:|---:|---|---:|",
    ]
    for one in capacity.screens:
        cells = [f"{one.cpu_us:.0f}", f"{1e6 / one.cpu_us:,.0f}", f"{one.calls:.1f}", f"{one.body_bytes:,}"]
        cells += [f"{one.envoy_us:.0f}", named(one.redis), f"{one.redis_us:.0f}"]
        lines.append(f"| {' | '.join([one.name, *cells])} |")
    return "\n".join(lines)


def held_table(capacity):
    lines = ["| | resident before MB | each KiB |", "|---|---:|---:|"]
    lines += [f"| {one.name} | {one.idle_bytes / 1e6:.1f} | {one.each_bytes / 1024:.1f} |" for one in capacity.held]
    return "\n".join(lines)


def redis_list(capacity):
    return f"- A write with a key: {named(capacity.write)}.\n- A session takes {capacity.session_bytes:,.0f} bytes."


def fleets(capacity):
    """What a mix of screens needs, computed from what was measured."""
    by_name = {screen.name: screen for screen in capacity.screens}
    mix = [(share, by_name[name]) for name, share in MIX.items()]
    each = lambda value: sum(share * value(screen) for share, screen in mix)
    rows = {
        "cores of BFFs": lambda rate: rate * each(lambda one: one.cpu_us) / 1e6 / BUSY,
        "cores of Envoy": lambda rate: rate * each(lambda one: one.envoy_us) / 1e6 / BUSY,
        "requests to Redis a second": lambda rate: rate * each(round_trips),
        "cores of Redis": lambda rate: rate * each(lambda one: one.redis_us) / 1e6 / BUSY,
        "calls to domain services a second": lambda rate: rate * each(lambda one: one.calls),
        "Gbit/s of answers, uncompressed": lambda rate: rate * each(lambda one: one.body_bytes) * 8 / 1e9,
    }
    lines = [f"| requests a second | {' | '.join(f'{rate:,}' for rate in RATES)} |", "|---|" + "---:|" * len(RATES)]
    for name, needed in rows.items():
        lines.append(f"| {name} | {' | '.join(written(needed(rate)) for rate in RATES)} |")
    return "\n".join(lines)


def round_trips(screen):
    """What a script does inside Redis is no request of ours."""
    return screen.redis.get("evalsha", 0) or sum(count for count in screen.redis.values() if count >= 0.01)


def written(value):
    return f"{value:.1f}" if value < 10 else f"{value:,.0f}"
