"""Which tokens are verified here, and with whose keys: only to know whose bucket a request counts in (rates.py).

A missing, foreign or forged token is no reason to refuse: the BFF alone does that, by rules of its own.
"""

import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path

# The frontends whose callers have tokens, by the path they are under: their ids are the audiences.
AUDIENCES = {"/mobile/": "mobile-bff", "/partner/": "partner-bff"}
# Where rates.py finds what a verified token says: the filter's namespace, and in it this key.
METADATA = ("envoy.filters.http.jwt_authn", "token")
REMEMBERED = 1000  # verified tokens for each thread, so that a signature costs once
# A key that is too new for us leaves its tokens' callers in the bucket of their address for so long.
REFRESH = "60s"


class BadIssuer(ValueError):
    """An issuer that is no http or https URL."""


@dataclass
class Provider:
    """An identity provider: the name that its tokens carry, and where it is asked for its keys."""

    issuer: str
    address: str
    jwks_path: str = "/jwks"
    # The certificate authorities that speak for it; None: it is asked without TLS.
    authorities: Path | None = None


def filter_config(providers):
    """The configuration of `jwt_authn`."""
    named = {f"identity-{number}": provider for number, provider in enumerate(providers)}
    return {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
        "providers": {name: provider_config(name, provider) for name, provider in named.items()},
        "rules": [
            {"match": {"prefix": prefix}, "requires": {"allow_missing_or_failed": {}}}
            for prefix in (AUDIENCES if providers else ())
        ],
    }


def provider_config(name, provider):
    host, _ = host_of(provider.issuer)
    scheme = "https" if provider.authorities else "http"
    return {
        "issuer": provider.issuer,
        "audiences": list(AUDIENCES.values()),
        "require_expiration": True,
        # Nowhere else: by default it would also be taken from the query.
        # In each spelling that clients use: a BFF takes any, and Envoy compares letter by letter.
        "from_headers": [
            {"name": "authorization", "value_prefix": f"{spelling} "}
            for kind in ("Bearer", "DPoP")
            for spelling in (kind, kind.lower(), kind.upper())
        ],
        "forward": True,
        "payload_in_metadata": METADATA[1],
        "jwt_cache_config": {"jwt_cache_size": REMEMBERED},
        "remote_jwks": {
            # The provider is asked by the name it knows itself by, wherever it listens.
            "http_uri": {"uri": f"{scheme}://{host}{provider.jwks_path}", "cluster": name, "timeout": "1s"},
            "cache_duration": REFRESH,
            # Fetched beside the traffic, kept until there are newer ones; the listener does not wait for the first.
            "async_fetch": {"fast_listener": True, "failed_refetch_duration": "10s"},
        },
    }


def clusters(providers, split):
    """One cluster for each provider."""
    return [cluster(f"identity-{number}", provider, split) for number, provider in enumerate(providers)]


def cluster(name, provider, split):
    host, port = split(provider.address)
    address = {"socket_address": {"address": host, "port_value": port}}
    config = {
        "name": name,
        "type": "STRICT_DNS",
        "connect_timeout": "1s",
        # While there are no keys at all each request with a token asks for them: a few may wait, the others go on.
        "circuit_breakers": {"thresholds": [{"max_connections": 2, "max_pending_requests": 2, "max_requests": 2}]},
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}]},
    }
    if provider.authorities:
        config["transport_socket"] = tls(provider)
    return config


def tls(provider):
    """TLS to a provider that proves the name its issuer has."""
    _, name = host_of(provider.issuer)
    kind = "IP_ADDRESS" if is_address(name) else "DNS"
    validation = {
        "trusted_ca": {"filename": str(provider.authorities)},
        "match_typed_subject_alt_names": [{"san_type": kind, "matcher": {"exact": name}}],
    }
    context = {
        "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
        "common_tls_context": {
            "tls_params": {"tls_minimum_protocol_version": "TLSv1_2"},
            "validation_context": validation,
        },
    }
    if kind == "DNS":
        context["sni"] = name
    return {"name": "envoy.transport_sockets.tls", "typed_config": context}


def host_of(issuer):
    """("id.example:8443", "id.example") from "https://id.example:8443/realms/shop"."""
    match = re.fullmatch(r"https?://((?:\[([0-9a-fA-F:.]+)\]|([0-9A-Za-z._-]+))(?::[0-9]{1,5})?)(?:/[!-~]*)?", issuer)
    if not match:
        raise BadIssuer(f"{issuer!r} is not an issuer: it must be a URL such as https://id.example")
    return match[1], match[2] or match[3]


def is_address(name):
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
