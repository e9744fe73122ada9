"""The programs of the benchmark, wired together on free loopback ports."""

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass

from demo import sign_in  # of scripts/demo
from processes import Failure, Process

USER = "u_42"
# Where a BFF is said to be; nothing listens there.
WEB_ORIGIN = "http://127.0.0.1:8080"
ISSUER = "http://127.0.0.1:3007"
# The demo provider knows the callback behind a gateway; here there is none.
SHOP_ARGUMENTS = ("--base-port", 0, "--redirect-uri", f"{WEB_ORIGIN}/auth/callback")
SERVICES = ("users", "orders", "catalog", "notifications", "billing", "usage")
# As many as demo-shop knows.
USERS = 1000
THREADS = 2
SPANS_LEAVE_AFTER_MS = 500
ADMIN_TOKEN = "admin-token-of-the-benchmark"

SETTINGS = """\
listen = "127.0.0.1:0"
public_url = "{origin}"
admin.listen = "127.0.0.1:0"
admin.token = "{admin_token}"
server.worker_threads = {threads}

[identity]
issuer = "{issuer}"
provider_url = "{identity}"
client_secret = "demo-secret-of-{name}"

[upstreams]
{upstreams}
"""
# Then a BFF makes every call that the bare program makes, each time.
NOTHING_SHARED = """
[cache]
max_bytes = "0 B"
"""


@dataclass
class Bff:
    process: Process
    url: str
    admin: str
    ready_seconds: float
    # The header that makes a request the user's.
    credential: str

    def forget(self):
        """Makes everything that it keeps old."""
        headers = {"Authorization": f"Bearer {ADMIN_TOKEN}", "Content-Type": "application/json"}
        everything = urllib.request.Request(f"{self.admin}/cache/invalidate", b'{"tags":["*"]}', headers)
        with urllib.request.urlopen(everything, timeout=5):
            pass


class System:
    """The domain services behind fixed answers, the bare program, and BFFs on demand."""

    def __init__(self, binaries, work):
        self.binaries = binaries
        self.work = work
        self._processes = []

    def __enter__(self):
        try:
            shop = self._listening("demo-shop", {*SERVICES, "identity"}, *SHOP_ARGUMENTS)
            self.identity = shop.pop("identity")
            authorization = f"Authorization: Bearer {user_token(self.identity)}"
            of = [argument for name in SERVICES for argument in ("--of", f"{name}={shop[name]}")]
            self.fixed = self._listening("fixed-upstream", set(SERVICES), *of, "--header", authorization, "--user", USER)
            return self
        except BaseException:
            self.stop()
            raise

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        for process in self._processes:
            process.stop()

    def running(self):
        return [process for process in self._processes if process.is_running()]

    def start(self, name, *arguments, settings=None):
        number = 1 + sum(other.name == name for other in self._processes)
        process = Process(name, [self.binaries / name, *arguments], self.work, settings, number)
        self._processes.append(process)
        return process

    def bare(self):
        """The bare program, with its URL."""
        upstreams = [argument for name in SERVICES for argument in ("--upstream", f"{name}={self.fixed[name]}")]
        process = self.start("bare", *upstreams, "--worker-threads", THREADS)
        return process, process.wait_for(lambda log: listening(log, {"bare"}))["bare"]

    def collector(self, silent=False):
        """The URL of a new collector: it counts what it is sent, and may never answer."""
        process = self.start("otlp-sink", *(["--silent"] if silent else []))
        return process.wait_for(lambda log: listening(log, {"collector"}))["collector"]

    def nowhere(self):
        """The URL of a collector that has ended."""
        url = self.collector()
        self._processes[-1].stop()
        return url

    def bff(self, name, shares=True, settings=None):
        """A BFF that is ready, and how long that took. It keeps answers and shares calls, or does neither."""
        process = self.start(name, "serve", "--config", self._settings(name, shares), settings=settings)
        serving = process.wait_for(serving_line)
        admin = f"http://{serving['admin.address']}"
        while not is_ready(f"{admin}/readyz"):
            if time.perf_counter() > process.started + 10:
                raise Failure(f"{name} does not become ready")
        ready_seconds, url = time.perf_counter() - process.started, f"http://{serving['server.address']}"
        return Bff(process, url, admin, ready_seconds, credential(name, url, self.identity))

    def credentials(self, name, url):
        """A file with a credential of each user at a BFF."""
        path = self.work / f"credentials-of-{name}"
        lines = (credential(name, url, self.identity, f"u_{number}") for number in range(1, USERS + 1))
        path.write_text("".join(f"{line}\n" for line in lines), encoding="ascii")
        return path

    def _listening(self, name, services, *arguments):
        return self.start(name, *arguments).wait_for(lambda log: listening(log, services))

    def _settings(self, name, shares):
        services = [service for service in SERVICES if name == "web-bff" or service not in ("billing", "usage")]
        upstreams = "\n".join(
            f'{service} = {{ url = "{self.fixed[service]}", coalescing = {str(shares).lower()} }}' for service in services
        )
        path = self.work / f"{name}-{'shares' if shares else 'alone'}.toml"
        facts = {"name": name, "threads": THREADS, "identity": self.identity, "admin_token": ADMIN_TOKEN, "origin": WEB_ORIGIN, "issuer": ISSUER}
        text = SETTINGS.format(**facts, upstreams=upstreams)
        path.write_text(text if shares else text + NOTHING_SHARED, encoding="utf-8")
        return path


def exporting(url, share):
    """The environment of a BFF that exports metrics, logs and this share of traces. Everything else is as it is by default,
    but that spans and log records leave soon: then they do so while it is measured."""
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": url,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
        "OTEL_TRACES_SAMPLER_ARG": share,
        "OTEL_BSP_SCHEDULE_DELAY": str(SPANS_LEAVE_AFTER_MS),
        "OTEL_BLRP_SCHEDULE_DELAY": str(SPANS_LEAVE_AFTER_MS),
    }


def listening(log, names):
    """{name: URL} from the lines that say so, once there is one for each of `names`."""
    lines = [line.split() for line in log.splitlines() if line.startswith("listening ")]
    found = {line[1]: line[2] for line in lines if len(line) == 3}
    return found if found.keys() == names else None


def serving_line(log):
    for line in log.splitlines():
        if line.endswith("}") and (event := json.loads(line)).get("message") == "serving":
            return event
    return None


def is_ready(url):
    try:
        with urllib.request.urlopen(url, timeout=1):
            return True
    except urllib.error.URLError:
        return False


def credential(name, url, identity, user=USER):
    """The header, as one line, with which a BFF knows a user: a session's cookie on the web, a token elsewhere."""
    if name == "web-bff":
        return f"Cookie: {session(url, identity, user)}"
    return f"Authorization: Bearer {user_token(identity, user)}"


def session(url, identity, user):
    """The cookie of a new session."""
    places = {WEB_ORIGIN: url, ISSUER: identity}
    places = {urllib.parse.urlsplit(said).netloc: urllib.parse.urlsplit(is_at).netloc for said, is_at in places.items()}
    return sign_in.session_cookie(WEB_ORIGIN, user, places)


def user_token(identity, user=USER):
    return token(identity, {"grant_type": "urn:triptych:demo:user", "client_id": "demo-cli", "user_id": user})


def token(identity, form):
    body = urllib.parse.urlencode(form).encode()
    with urllib.request.urlopen(f"{identity}/token", body, timeout=5) as answer:
        return json.load(answer)["access_token"]
