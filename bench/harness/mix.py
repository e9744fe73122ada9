"""What clients ask for: requests of every priority, none of which can share another's call."""

from concurrent.futures import ThreadPoolExecutor

from demo.credentials import api_key  # of scripts/demo
from deployment import fetch
from processes import Failure
from system import WEB_ORIGIN
from traffic import Class

USERS = 300
# So many are looked for at once, which is less than any service can do.
AT_ONCE = 6
# Who reads and gets nothing tries once more, which makes an overload worse. A checkout has to succeed at once.
TRIES = 2
STOCK = 100
# Checkouts are few, as in any shop: even at three times the capacity they alone would fit.
WEIGHTS = {"checkout": 10, "page": 35, "batch": 45, "other": 10}
ON_ORDERS = ("checkout", "page", "batch")


def mix(deployment):
    """The classes. A request is one of many users', or has a URL of its own."""
    web, partner = deployment.bffs["web-bff"].url, deployment.bffs["partner-bff"].url
    sessions = whole_users(deployment)
    headers = {
        "Cookie": deployment.session("u_1"),
        "X-CSRF": "1",
        "Origin": WEB_ORIGIN,
        "Content-Type": "application/json",
        "Idempotency-Key": "soak-{n}",
    }
    order = '{"productId":"{pick}","quantity":1}'
    picks = deployment.products(STOCK)
    session, key = {"Cookie": "{pick}"}, {"X-API-Key": api_key("acme")}
    since = "2020-01-01T00:00:00.{n}Z"
    return [
        Class("checkout", WEIGHTS["checkout"], f"{web}/orders", "POST", headers, order, picks),
        Class("page", WEIGHTS["page"], f"{web}/orders", headers=session, picks=sessions, tries=TRIES),
        Class("batch", WEIGHTS["batch"], f"{partner}/v1/orders?limit=5&updated_since={since}", headers=key, tries=TRIES),
        Class("other", WEIGHTS["other"], f"{web}/products?q=a", headers=session, picks=sessions),
    ]


def whole_users(deployment):
    """Sessions of users whose pages lack nothing: some have ordered what is gone, and are told so. u_1 orders himself.

    Asked when the orders service has its capacity already: web-bff must not learn here that it is faster than it will be.
    """
    url = f"{deployment.bffs['web-bff'].url}/orders"

    def whole(number):
        session = deployment.session(f"u_{number}")
        return session if not fetch("GET", url, headers={"Cookie": session})["warnings"] else None

    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = [session for session in pool.map(whole, range(2, 2 + 2 * USERS)) if session]
    if len(found) < USERS:
        raise Failure(f"only {len(found)} users have pages that lack nothing")
    return found[:USERS]


def more_screens(deployment, classes):
    web, mobile = deployment.bffs["web-bff"].url, deployment.bffs["mobile-bff"].url
    sessions = next(one.picks for one in classes if one.name == "page")
    tokens = [deployment.user_token(f"u_{number}") for number in range(2, 2 + USERS)]
    return [
        Class("dashboard", 10, f"{web}/dashboard", headers={"Cookie": "{pick}"}, picks=sessions),
        Class("home", 10, f"{mobile}/home", headers={"Authorization": "Bearer {pick}"}, picks=tokens),
    ]
