"""Asks each frontend for its first screen, says what it cost, and whether the answer is what was promised."""

import http.client
import json
import time
from dataclasses import dataclass
from statistics import median
from typing import Any
from urllib.parse import urlsplit

from demo import credentials, sign_in

SHOP_PORTS = range(3001, 3007)
TIMES = 9


@dataclass
class Frontend:
    """One BFF and what the demo asks it."""

    name: str
    port: int
    path: str
    caller: str
    wrong: Any  # from an answer to what is wrong with it, or ""

    @property
    def kind(self):
        return self.name.removesuffix("-bff")


@dataclass
class Answer:
    """What came back, and what it took."""

    status: int
    body: Any
    size: int
    milliseconds: float
    upstream_calls: int


def wrong_dashboard(body):
    if body["user"]["id"] != "u_42" or not body["user"]["name"].startswith("Ada"):
        return "the user is not Ada Lovelace, u_42"
    if len(body["orders"]) != 50:
        return f"it has {len(body['orders'])} orders"
    # Ada once ordered what the catalog no longer has: the order stays, and a warning says why it is bare.
    lost = [warning for warning in body["warnings"] if warning["status"] != "not_found"]
    bare = [order["id"] for order in body["orders"] if not order["product"]]
    if bare and not body["warnings"]:
        return f"orders without their product, and no warning: {', '.join(bare)}"
    return f"it has warnings: {lost}" if lost else ""


def wrong_home(body):
    if body["greeting"] != "Hi Ada":
        return f"the greeting is {body['greeting']!r}"
    if not 0 < len(body["recentOrders"]) <= 3:
        return f"it has {len(body['recentOrders'])} recent orders"
    return f"it has warnings: {body['warnings']}" if body.get("warnings") else ""


def wrong_orders(body):
    if len(body["data"]) != 3:
        return f"a page of 3 orders has {len(body['data'])}"
    return "" if body["page"]["next_cursor"] else "there is no next page"


FRONTENDS = [
    Frontend("web-bff", 8081, "/dashboard", "u_42", wrong_dashboard),
    Frontend("mobile-bff", 8082, "/home", "u_42", wrong_home),
    Frontend("partner-bff", 8083, "/v1/orders?limit=3", "acme", wrong_orders),
]


def ask(frontend, url):
    """The answer of the frontend at this URL after some others, as of one that runs; its time is the median of some."""
    name, value = credentials.header(frontend.kind, frontend.caller)
    connection, prefix = sign_in.connect(url, authority=credentials.AUTHORITY), urlsplit(url).path
    try:
        get(connection, prefix + frontend.path, {name: value})
        calls_before, times = calls(), []
        for _ in range(TIMES):
            started = time.perf_counter()
            status, text = get(connection, prefix + frontend.path, {name: value})
            times.append((time.perf_counter() - started) * 1000)
        return Answer(status, decode(text), len(text), median(times), (calls() - calls_before) // TIMES)
    finally:
        connection.close()


def get(connection, path, headers):
    connection.request("GET", path, headers=headers)
    response = connection.getresponse()
    return response.status, response.read()


def decode(text):
    try:
        return json.loads(text)
    except ValueError:
        return text.decode(errors="replace")


def calls():
    """How many calls the demo shop's services have had."""
    return sum(sum(calls_of(port).values()) for port in SHOP_PORTS)


def calls_of(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        return json.loads(get(connection, "/_calls", {})[1])
    finally:
        connection.close()


def fault(frontend, answer):
    """What is wrong with an answer, or ""."""
    if answer.status != 200:
        return f"status {answer.status}"
    try:
        return frontend.wrong(answer.body)
    except (KeyError, TypeError, AttributeError) as error:
        return f"its shape is not the promised one ({error!r})"
