"""What clients ask for: requests of every priority, none of which can share another's call."""

from concurrent.futures import ThreadPoolExecutor

from demo.credentials import api_key  # of scripts/demo
from deployment import fetch
from processes import Failure
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
    tokens = whole_users(deployment)
    headers = {
        "Authorization": f"Bearer {deployment.user_token('u_1')}",
        "Content-Type": "application/json",
        "Idempotency-Key": "soak-{n}",
    }
    order = '{"productId":"{pick}","quantity":1}'
    picks = deployment.products(STOCK)
    bearer, key = {"Authorization": "Bearer {pick}"}, {"X-API-Key": api_key("acme")}
    since = "2020-01-01T00:00:00.{n}Z"
    return [
        Class("checkout", WEIGHTS["checkout"], f"{web}/orders", "POST", headers, order, picks),
        Class("page", WEIGHTS["page"], f"{web}/orders", headers=bearer, picks=tokens, tries=TRIES),
        Class("batch", WEIGHTS["batch"], f"{partner}/v1/orders?limit=5&updated_since={since}", headers=key, tries=TRIES),
        Class("other", WEIGHTS["other"], f"{web}/products?q=a", headers=bearer, picks=tokens),
    ]


def whole_users(deployment):
    """Tokens of users whose pages lack nothing: some have ordered what is gone, and are told so. u_1 orders himself.

    Asked when the orders service has its capacity already: web-bff must not learn here that it is faster than it will be.
    """
    url = f"{deployment.bffs['web-bff'].url}/orders"

    def whole(number):
        token = deployment.user_token(f"u_{number}")
        return token if not fetch("GET", url, headers={"Authorization": f"Bearer {token}"})["warnings"] else None

    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = [token for token in pool.map(whole, range(2, 2 + 2 * USERS)) if token]
    if len(found) < USERS:
        raise Failure(f"only {len(found)} users have pages that lack nothing")
    return found[:USERS]


def more_screens(deployment, classes):
    tokens = next(one.picks for one in classes if one.name == "page")
    bearer = {"Authorization": "Bearer {pick}"}
    screens = (("dashboard", "web-bff"), ("home", "mobile-bff"))
    return [Class(path, 10, f"{deployment.bffs[bff].url}/{path}", headers=bearer, picks=tokens) for path, bff in screens]
