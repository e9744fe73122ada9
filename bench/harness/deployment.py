"""demo-shop and the three BFFs, with the settings of the demo, on free loopback ports."""

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from processes import Failure, Process
from system import SERVICES, SHOP_ARGUMENTS, WEB_ORIGIN, is_ready, listening, serving_line, session, token, user_token

SETTINGS = Path(__file__).resolve().parents[2] / "deploy/demo"
UPSTREAMS = {
    "web-bff": SERVICES,
    "mobile-bff": ("users", "orders", "catalog", "notifications"),
    "partner-bff": ("orders", "catalog", "usage"),
}
# Shorter than in the demo, so that what is kept for later is let go of before anyone tires of waiting.
KEEP_CONNECTIONS = "3s"


@dataclass
class Bff:
    """A BFF that runs, and its addresses."""

    process: Process
    url: str
    admin: str


class Deployment:
    """A context: on leaving it, everything that was started in it is ended."""

    def __init__(self, binaries, work, settings=None):
        """`settings` are variables for the environment of BFFs, by their names."""
        self.binaries = binaries
        self.work = work
        self._settings = settings or {}
        self.bffs = {}
        self._processes = []
        work.mkdir(parents=True, exist_ok=True)

    def __enter__(self):
        try:
            names = {*SERVICES, "identity"}
            self.services = self.start("demo-shop", *SHOP_ARGUMENTS).wait_for(lambda log: listening(log, names))
            for name in UPSTREAMS:
                self.bffs[name] = self._bff(name)
            return self
        except BaseException:
            self.stop()
            raise

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        for process in self._processes:
            process.stop()

    def start(self, name, *arguments, settings=None):
        return self.start_command(name, [self.binaries / name, *arguments], settings)

    def start_command(self, name, command, settings=None):
        process = Process(name, command, self.work, settings)
        self._processes.append(process)
        return process

    def _bff(self, name):
        settings = {
            "BFF__LISTEN": "127.0.0.1:0",
            "BFF__ADMIN__LISTEN": "127.0.0.1:0",
            "BFF__PUBLIC_URL": WEB_ORIGIN,
            "BFF__IDENTITY__PROVIDER_URL": self.services["identity"],
        }
        for service in UPSTREAMS[name]:
            key = f"BFF__UPSTREAMS__{service.upper()}"
            settings |= {f"{key}__URL": self.services[service], f"{key}__IDLE_TIMEOUT": KEEP_CONNECTIONS}
        settings |= self._settings.get(name, {})
        process = self.start(name, "serve", "--config", SETTINGS / f"{name}.toml", settings=settings)
        serving = process.wait_for(serving_line)
        admin = f"http://{serving['admin.address']}"
        process.wait_for(lambda _: is_ready(f"{admin}/readyz"))
        return Bff(process, f"http://{serving['server.address']}", admin)

    def require_alive(self):
        """A BFF that ended has failed, whatever else is measured."""
        for process in self._processes:
            if process.popen.poll() not in (None, 0):
                raise Failure(f"{process.name} ended with {process.popen.returncode}: see {process.log}")

    def faults(self, service, rules):
        self._control("PUT", service, "/_faults", rules)

    def capacity(self, service, concurrency, service_time_ms):
        """A service that can do no more, and that does not notice when a client leaves its queue."""
        limit = {"concurrency": concurrency, "serviceTimeMs": service_time_ms, "keepAbandoned": True}
        self._control("PUT", service, "/_capacity", limit)

    def calls(self, service):
        """How many calls a service has had."""
        return sum(self._control("GET", service, "/_calls").values())

    def restock(self):
        """Every order forgotten, every product back on its shelf."""
        self._control("POST", "orders", "/_reset")

    def user_token(self, user):
        return user_token(self.services["identity"], user)

    def session(self, user):
        """The cookie of a new session."""
        return session(self.bffs["web-bff"].url, self.services["identity"], user)

    def products(self, least):
        """The ids of the products of which there are so many."""
        form = {"grant_type": "client_credentials", "client_id": "web-bff", "client_secret": "demo-secret-of-web-bff"}
        headers = {"Authorization": f"Bearer {token(self.services['identity'], form)}"}
        found, cursor = [], ""
        while cursor is not None:
            more = f"&cursor={cursor}" if cursor else ""
            page = fetch("GET", f"{self.services['catalog']}/products?limit=100{more}", headers=headers)
            found += [product["id"] for product in page["items"] if product["stock"] >= least]
            cursor = page["nextCursor"]
        return found

    def _control(self, method, service, path, body=None):
        return fetch(method, self.services[service] + path, body)


def fetch(method, url, body=None, headers=None):
    """The JSON of an answer, if it is a success."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers=headers or {}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        raise Failure(f"{method} {url} answered {error.code}: {error.read().decode(errors='replace')}") from None
