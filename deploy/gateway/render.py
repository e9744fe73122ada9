"""Fills in the templates envoy.yaml and listener_tls.yaml."""

import json
import re
import textwrap
from dataclasses import dataclass, field
from pathlib import Path

import problems
import rates
import tokens
import web_app

TEMPLATE = Path(__file__).with_name("envoy.yaml")
TLS_TEMPLATE = Path(__file__).with_name("listener_tls.yaml")
PLACEHOLDER = re.compile(r"\$\{([A-Z_]+)\}")


class BadAddress(ValueError):
    """An address that is not HOST:PORT."""


@dataclass
class Tls:
    """Where TLS ends, with which certificate, and for how long a browser may insist on it."""

    listen: str
    certificate: Path
    key: Path
    hsts_seconds: int


@dataclass
class Settings:
    """What a gateway is told."""

    # {"LISTEN": "127.0.0.1:8080", "ADMIN": …, "WEB": …, "MOBILE": …, "PARTNER": …}
    addresses: dict
    providers: list = field(default_factory=list)
    # None: without limits.
    rates: dict | None = field(default_factory=lambda: dict(rates.DEFAULTS))
    tls: Tls | None = None
    # The folder of the web app; one that does not exist is an app without files.
    web_app: Path = web_app.FOLDER


def render(settings):
    """The configuration of Envoy. A placeholder without a value is a KeyError."""
    values = {
        "PROBLEM_MAPPERS": problems.mappers(),
        "TOKENS": tokens.filter_config(settings.providers),
        "KEY_IDS": rates.key_ids(),
        "RATES_OFF": settings.rates is None,
        "RATES": rates.filter_config(settings.rates or rates.DEFAULTS),
        "WEB_APP_MAX_BYTES": web_app.MAX_BYTES,
        **addresses(settings.addresses),
    }
    items = {
        "WEB_APP": as_items(web_app.routes(settings.web_app)),
        "PROVIDERS": as_items(tokens.clusters(settings.providers, split)),
        "TLS_LISTENER": tls_listener(settings.tls) if settings.tls else "",
    }
    return fill(TEMPLATE, values, items)


def tls_listener(tls):
    values = {"CERTIFICATE": str(tls.certificate), "KEY": str(tls.key), "HSTS_SECONDS": tls.hsts_seconds}
    return fill(TLS_TEMPLATE, values | addresses({"TLS": tls.listen}), {})


def addresses(named):
    """{"WEB_HOST": "127.0.0.1", "WEB_PORT": 8081} from {"WEB": "127.0.0.1:8081"}."""
    values = {}
    for name, address in named.items():
        values[f"{name}_HOST"], values[f"{name}_PORT"] = split(address)
    return values


def fill(template, values, items):
    """The template with its values, as JSON, which is YAML, and with the items of its lists, as they are."""
    lines = []
    for line in template.read_text(encoding="utf-8").splitlines():
        alone = PLACEHOLDER.fullmatch(line.strip())
        if alone:
            lines.append(textwrap.indent(items[alone[1]], line[: line.index("$")]))
        else:
            lines.append(PLACEHOLDER.sub(lambda found: json.dumps(values[found[1]]), line))
    return "\n".join(lines) + "\n"


def as_items(values):
    """The items of a YAML list, one on each line."""
    return "\n".join(f"- {json.dumps(value)}" for value in values)


def split(address):
    """("::1", 80) from "[::1]:80"."""
    match = re.fullmatch(r"(?:\[([0-9a-fA-F:.]+)\]|([0-9A-Za-z._-]+)):([0-9]{1,5})", address)
    if not match or int(match[3]) > 65535:
        raise BadAddress(f"{address!r} is not HOST:PORT")
    return match[1] or match[2], int(match[3])
