"""Fills in the templates: envoy.yaml, and in it connection_manager.yaml, routes.yaml and the listeners with TLS."""

import json
import re
import textwrap
from dataclasses import dataclass, field
from pathlib import Path

import certificates
import flow_yaml
import forwarded
import global_rates
import problems
import rates
import replicas
import tokens
import tracing
import web_app

FOLDER = Path(__file__).parent
PLACEHOLDER = re.compile(r"\$\{([A-Z_]+)\}")
TRUSTED_TLS = """\
- name: trusted
  filter_chain_match: *trusted_sources
  filters: *trusted
  transport_socket_connect_timeout: 5s
  transport_socket: *tls
"""
HTTP3_CODEC = "codec_type: HTTP3\nhttp3_protocol_options: {}"
MIB = 1024 * 1024


@dataclass
class Tls:
    """Where TLS ends, with which certificate (certificates.py), and for how long a browser may insist on it."""

    listen: str
    # The file that names the certificate, for Envoy to follow.
    pointer: Path
    hsts_seconds: int
    # The UDP port at which browsers find HTTP/3; None: there is none.
    http3_port: int | None = None


@dataclass
class Settings:
    """What a gateway is told."""

    # {"LISTEN": "127.0.0.1:8080", "ADMIN": …}
    addresses: dict
    # {"WEB": [Replica(…)], "MOBILE": …, "PARTNER": …}
    bffs: dict
    providers: list = field(default_factory=list)
    # None: without limits.
    rates: dict | None = field(default_factory=lambda: dict(rates.DEFAULTS))
    # HOST:PORT of the service that counts for all gateways; None: there is none.
    rate_service: str | None = None
    traces: tracing.Tracing = field(default_factory=tracing.Tracing)
    # How many proxies before this one add the address of their caller to X-Forwarded-For.
    hops: int = 0
    tls: Tls | None = None
    heap_mib: int = 512
    # Room for 5,000 slow sockets, and as many healthy ones beside them.
    connections: int = 10_000
    # The folder of the web app; one that does not exist is an app without files.
    web_app: Path = web_app.FOLDER


def render(settings):
    """The configuration of Envoy. A placeholder without a value is a KeyError."""
    values = addresses(settings.addresses)
    values |= {"HEAP_BYTES": settings.heap_mib * MIB, "CONNECTIONS": settings.connections}
    for name, bff in settings.bffs.items():
        values |= {f"{name}_REPLICAS": replicas.endpoints(bff), f"{name}_HEALTH": replicas.health_checks(bff)}
    manager = ConnectionManager(settings)
    texts = {name: flow_yaml.write(name.lower(), value) for name, value in values.items()}
    texts["FOREIGN"] = manager.text()
    texts["TRUSTED"] = trusted_chain(settings, manager)
    texts["TLS_LISTENER"] = tls_listener(settings) if settings.tls else ""
    texts["QUIC_LISTENER"] = quic_listener(settings.tls, manager) if settings.tls and settings.tls.http3_port else ""
    clusters = [*tokens.clusters(settings.providers, replicas.split), tracing.cluster(settings.traces)]
    if settings.rate_service:
        clusters.append(global_rates.cluster(settings.rate_service))
    texts["HELPERS"] = flow_yaml.write_items("helpers", clusters)
    return fill("envoy.yaml", texts)


class ConnectionManager:
    """Writes connection_manager.yaml for each kind of caller; what they have in common is written the first time only."""

    def __init__(self, settings):
        shared = {
            "PROBLEM_MAPPERS": problems.mappers(),
            "TOKENS": tokens.filter_config(settings.providers),
            "KEY_IDS": rates.key_ids(),
            "RATES": rates.filter_config(settings.rates or rates.DEFAULTS),
            "TRACING": tracing.config(settings.traces),
        }
        self.shared = {name: flow_yaml.write(name.lower(), value) for name, value in shared.items()}
        self.shared["ROUTES"] = routes(settings.web_app)
        own = {"RATES_OFF": settings.rates is None, "HOPS": settings.hops, "FORWARDED": forwarded.matcher(settings.hops)}
        own["RETRY_AFTER"] = rates.RETRY_AFTER
        self.own = {name: json.dumps(value) for name, value in own.items()}
        global_filters = [global_rates.filter_item(settings.rate_service)] if settings.rate_service else []
        self.own["GLOBAL_RATES"] = flow_yaml.write_items("global_rates", global_filters)
        self.written = False

    def text(self, trusted=False, codec=""):
        if self.written:
            shared = {name: f"*{name.lower()}" for name in self.shared}
        else:
            shared = {name: anchored(name.lower(), text) for name, text in self.shared.items()}
        self.written = True
        removals = flow_yaml.write_items("removals", tracing.removals(trusted))
        return fill("connection_manager.yaml", shared | self.own | {"FOREIGN_TRACES": removals, "CODEC": codec})


def anchored(name, text):
    """The text with an anchor, which stands on a line before it where there are several."""
    return f"&{name}\n{text}" if "\n" in text else f"&{name} {text}"


def routes(folder):
    app = flow_yaml.write_items("web_app", web_app.routes(folder))
    return fill("routes.yaml", {"WEB_APP": app, "WEB_APP_MAX_BYTES": str(web_app.MAX_BYTES)})


def trusted_chain(settings, manager):
    if not settings.traces.trusted:
        return ""
    match = json.dumps(tracing.sources(settings.traces))
    filters = textwrap.indent(manager.text(trusted=True), "    ")
    return f"- name: trusted\n  filter_chain_match: &trusted_sources {match}\n  filters: &trusted\n{filters}"


def tls_listener(settings):
    tls = settings.tls
    said = {"hsts": f"max-age={tls.hsts_seconds}"}
    if tls.http3_port:
        said["alt_svc"] = f'h3=":{tls.http3_port}"; ma=86400'
    values = {"SAID": {"filter_metadata": {"triptych": said}}, "CERTIFICATE": certificates.followed(tls.pointer)}
    texts = {name: json.dumps(value) for name, value in (values | addresses({"TLS": tls.listen})).items()}
    texts["TRUSTED"] = TRUSTED_TLS if settings.traces.trusted else ""
    return fill("listener_tls.yaml", texts)


def quic_listener(tls, manager):
    texts = {name: json.dumps(value) for name, value in addresses({"TLS": tls.listen}).items()}
    return fill("listener_quic.yaml", texts | {"QUIC": manager.text(codec=HTTP3_CODEC)})


def addresses(named):
    """{"LISTEN_HOST": "127.0.0.1", "LISTEN_PORT": 8080} from {"LISTEN": "127.0.0.1:8080"}."""
    values = {}
    for name, address in named.items():
        values[f"{name}_HOST"], values[f"{name}_PORT"] = replicas.split(address)
    return values


def fill(template, texts):
    """The template with these texts, without its comments; a text that stands alone on its line is indented as a whole."""
    lines = []
    for line in (FOLDER / template).read_text(encoding="utf-8").splitlines():
        if line.lstrip().startswith("#"):
            continue
        alone = PLACEHOLDER.fullmatch(line.strip())
        if alone:
            lines.append(textwrap.indent(texts[alone[1]], line[: line.index("$")]))
        else:
            lines.append(PLACEHOLDER.sub(lambda found: texts[found[1]], line))
    return "\n".join(line for line in lines if line.strip()) + "\n"
