"""Credentials for the demo: what a sign-in, or the contract with a partner, would give."""

import hashlib
import http.client
import json
from pathlib import Path
from urllib.parse import urlencode

from demo import sign_in

IDENTITY_PORT = 3007
# Acme may ask as often as it likes, Globex five times a minute.
PARTNERS = ("acme", "globex")
ROOT = Path(__file__).resolve().parent.parent.parent
# scripts/run says here what web-bff's public URL is.
WEB_URL = ROOT / "target/run/web-bff.url"
USUAL_WEB_URL = "http://127.0.0.1:8080/web"
# Whom a client trusts that asks the gateway over TLS: scripts/certificate made it.
AUTHORITY = ROOT / "target/tls/authority.pem"


class NoCredential(Exception):
    """Why there is none, in one line."""


def header(frontend, name):
    """The (name, value) of the header that makes a request `name`'s: a user of web and mobile, or a partner."""
    if frontend == "partner":
        return "X-API-Key", api_key(name)
    if frontend == "mobile":
        return "Authorization", f"Bearer {user_token(name)}"
    return "Cookie", session_cookie(name)


def session_cookie(user_id):
    """The cookie of a session at web-bff, from a sign-in of its own."""
    url = WEB_URL.read_text(encoding="utf-8").strip() if WEB_URL.exists() else USUAL_WEB_URL
    try:
        return sign_in.session_cookie(url, user_id, authority=AUTHORITY if url.startswith("https:") else None)
    except sign_in.NotSignedIn as error:
        raise NoCredential(f"nobody is signed in: {error}; scripts/run starts what is needed") from None


def api_key(partner):
    """The demo key of a partner. Only its hash is in the keys file of partner-bff."""
    if partner not in PARTNERS:
        raise NoCredential(f"{partner!r} has no demo key: deploy/demo/partner-keys.toml has those of {' and '.join(PARTNERS)}")
    key_id = f"{partner}01"
    return f"tpk_{key_id}_{hashlib.sha256(f'triptych demo key {key_id}'.encode()).hexdigest()}"


def user_token(user_id):
    form = {"grant_type": "urn:triptych:demo:user", "client_id": "demo-cli", "user_id": user_id}
    status, answer = post("/token", form)
    if status != 200:
        reason = answer.get("error_description") or answer.get("error") or f"status {status}"
        raise NoCredential(f"demo-shop gives no token to {user_id!r}: {reason}")
    return answer["access_token"]


def post(path, form):
    connection = http.client.HTTPConnection("127.0.0.1", IDENTITY_PORT, timeout=5)
    try:
        connection.request("POST", path, urlencode(form), {"Content-Type": "application/x-www-form-urlencoded"})
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    except ConnectionRefusedError:
        raise NoCredential(f"demo-shop is not running (port {IDENTITY_PORT}): start it with scripts/run") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise NoCredential(f"what listens on port {IDENTITY_PORT} is not demo-shop: {error}") from None
    finally:
        connection.close()
