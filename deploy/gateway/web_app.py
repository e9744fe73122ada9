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
CACHE_CONTROL = "no-cache"  # kept, and asked about each time: a release is seen at once
HEADERS = {
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
    addresses = {address_of(path, folder): path for path in files}
    reads = [route for address, path in addresses.items() for route in reads_of(path, address)]
    return [*reads, never_written(addresses)] if addresses else []


def address_of(file, folder):
    name = file.relative_to(folder).as_posix()
    if not re.fullmatch(r"[0-9A-Za-z/._-]+", name):
        raise BadFile(f"{file} cannot be served: its name must be of letters, digits, '.', '_' and '-'")
    return "/" + (name.removesuffix(INDEX) if file.name == INDEX else name)


def reads_of(file, address):
    """What a reader is answered: that the file has not changed, or the file."""
    content_type = CONTENT_TYPES.get(file.suffix)
    if content_type is None:
        raise BadFile(f"{file} cannot be served: its name must end in one of {', '.join(CONTENT_TYPES)}")
    content = file.read_bytes()
    if len(content) > MAX_BYTES:
        raise BadFile(f"{file} cannot be served: it has {len(content)} bytes, and a file may have {MAX_BYTES}")
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    read = {"name": ":method", "string_match": {"safe_regex": {"regex": "GET|HEAD"}}}
    known = {"name": "if-none-match", "string_match": {"contains": tag}}
    validators = {"cache-control": CACHE_CONTROL, "etag": tag}
    # Envoy reads the file, so that its text needs no quoting here.
    body = {"filename": str(file)}
    return [
        route({"path": address, "headers": [read, known]}, {"status": 304}, validators),
        route({"path": address, "headers": [read]}, {"status": 200, "body": body}, HEADERS | validators | {"content-type": content_type}),
    ]


def never_written(addresses):
    """What is answered to every other method."""
    any_of_them = "|".join(re.escape(address) for address in addresses)
    return route({"safe_regex": {"regex": any_of_them}}, {"status": 405}, {"allow": "GET, HEAD"})


def route(match, answer, headers):
    return {
        "name": "web-app",
        "match": match,
        "direct_response": answer,
        "response_headers_to_add": [
            {"header": {"key": name, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
            for name, value in headers.items()
        ],
    }
