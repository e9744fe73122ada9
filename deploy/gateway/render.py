"""Fills in the templates envoy.yaml and listener_tls.yaml."""

import json
import re
import textwrap
from dataclasses import dataclass, field
from pathlib import Path

import flow_yaml
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
    texts = {name: flow_yaml.write(name.lower(), value) for name, value in values.items()}
    texts["WEB_APP"] = flow_yaml.write_items("web_app", web_app.routes(settings.web_app))
    texts["PROVIDERS"] = flow_yaml.write_items("providers", tokens.clusters(settings.providers, split))
    texts["TLS_LISTENER"] = tls_listener(settings.tls) if settings.tls else ""
    return fill(TEMPLATE, texts)


def tls_listener(tls):
    values = {"CERTIFICATE": str(tls.certificate), "KEY": str(tls.key), "HSTS_SECONDS": tls.hsts_seconds}
    values |= addresses({"TLS": tls.listen})
    return fill(TLS_TEMPLATE, {name: json.dumps(value) for name, value in values.items()})


def addresses(named):
    """{"WEB_HOST": "127.0.0.1", "WEB_PORT": 8081} from {"WEB": "127.0.0.1:8081"}."""
    values = {}
    for name, address in named.items():
        values[f"{name}_HOST"], values[f"{name}_PORT"] = split(address)
    return values


def fill(template, texts):
    """The template with these texts; one that stands alone on its line is indented as a whole."""
    lines = []
    for line in template.read_text(encoding="utf-8").splitlines():
        alone = PLACEHOLDER.fullmatch(line.strip())
        if alone:
            lines.append(textwrap.indent(texts[alone[1]], line[: line.index("$")]))
        else:
            lines.append(PLACEHOLDER.sub(lambda found: texts[found[1]], line))
    return "\n".join(lines) + "\n"


def split(address):
    """("::1", 80) from "[::1]:80"."""
    match = re.fullmatch(r"(?:\[([0-9a-fA-F:.]+)\]|([0-9A-Za-z._-]+)):([0-9]{1,5})", address)
    if not match or int(match[3]) > 65535:
        raise BadAddress(f"{address!r} is not HOST:PORT")
    return match[1] or match[2], int(match[3])
