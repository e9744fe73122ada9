"""The web app: every file of deploy/web-app is an answer of the gateway itself. What it asks for comes from web-bff."""

import hashlib
import re
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "web-app"
MAX_BYTES = 256 * 1024  # of one file: Envoy keeps them all in memory
INDEX = "index.html"  # it is at the address of its folder

CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/vnd.microsoft.icon",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}

# Nothing but our own files, talking to nobody but our own address, in nobody's frame.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "cache-control": "no-cache",  # kept, and asked about each time: a release is seen at once
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


class BadFile(ValueError):
    """A file that cannot be served."""


def routes(folder):
    """The routes of all files, in the order of their names; a folder that does not exist has none."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    return [route for path in files for route in routes_of(path, "/" + path.relative_to(folder).as_posix())]


def routes_of(file, address):
    """What is answered at the address of a file: that it has not changed, itself, or that it is only to be read."""
    content_type = CONTENT_TYPES.get(file.suffix)
    if content_type is None:
        raise BadFile(f"{file} cannot be served: its name must end in one of {', '.join(CONTENT_TYPES)}")
    if not re.fullmatch(r"[0-9A-Za-z/._-]+", address):
        raise BadFile(f"{file} cannot be served: its name must be of letters, digits, '.', '_' and '-'")
    content = file.read_bytes()
    if len(content) > MAX_BYTES:
        raise BadFile(f"{file} cannot be served: it has {len(content)} bytes, and a file may have {MAX_BYTES}")
    address = address.removesuffix(INDEX) if file.name == INDEX else address
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    read = {"name": ":method", "string_match": {"safe_regex": {"regex": "GET|HEAD"}}}
    known = {"name": "if-none-match", "string_match": {"contains": tag}}
    headers = HEADERS | {"etag": tag}
    whole = headers | {"content-type": content_type}
    return [
        route(address, [read, known], {"status": 304}, headers),
        # Envoy reads the file, so that its text needs no quoting here.
        route(address, [read], {"status": 200, "body": {"filename": str(file)}}, whole),
        route(address, [], {"status": 405}, {"allow": "GET, HEAD"}),
    ]


def route(address, conditions, answer, headers):
    return {
        "name": "web-app",
        "match": {"path": address, "headers": conditions},
        "direct_response": answer,
        "response_headers_to_add": [
            {"header": {"key": name, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
            for name, value in headers.items()
        ],
    }
