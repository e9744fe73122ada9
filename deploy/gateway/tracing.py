"""The trace of a request: the gateway's span is the parent of the BFF's.

A trace begins here. For callers in networks that are trusted it goes on: their `traceparent` decides what is sampled,
their `tracestate` and `baggage` come through. Everybody else's are removed before anything reads them.
"""

import ipaddress
from dataclasses import dataclass, field

import replicas

CLUSTER = "otlp"
CONTEXT_HEADERS = ("traceparent", "tracestate", "baggage")


class BadNetwork(ValueError):
    """A network that is none."""


@dataclass
class Tracing:
    """Where spans go, as HOST:PORT for OTLP over gRPC; how many in a hundred; and whose traces are continued."""

    collector: str | None = None
    percent: float = 1.0
    trusted: list = field(default_factory=list)


def network(text):
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        raise BadNetwork(f"{text!r} is not a network such as 10.0.0.0/8 or fd00::/8") from None


def config(tracing):
    """The configuration of `tracing`. Without a collector a trace begins as well, and none of its spans leaves."""
    return {
        # One name for each route. A method can be anything that a client makes up.
        "operation": "gateway %ROUTE_NAME%",
        "random_sampling": {"value": tracing.percent},
        # An address can carry what nobody may see: the code of a sign-in, a search.
        "max_path_tag_length": 1,
        "provider": {
            "name": "envoy.tracers.opentelemetry",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig",
                "service_name": "gateway",
                "grpc_service": {"envoy_grpc": {"cluster_name": CLUSTER}, "timeout": "1s"},
            },
        },
    }


def removals(trusted):
    """The mutations that make a foreign caller's trace unseen."""
    return [] if trusted else [{"remove": name} for name in CONTEXT_HEADERS]


def sources(tracing):
    """The connections of those whose word is taken, as a `filter_chain_match`."""
    prefixes = [{"address_prefix": str(net.network_address), "prefix_len": net.prefixlen} for net in tracing.trusted]
    return {"source_prefix_ranges": prefixes}


def cluster(tracing):
    """Where the spans go; nowhere without a collector."""
    endpoints = replicas.endpoints(replicas.parse(tracing.collector)) if tracing.collector else []
    return {
        "name": CLUSTER,
        "type": "STRICT_DNS" if endpoints else "STATIC",
        "connect_timeout": "1s",
        # A collector that is slow gets less, and no request notices.
        "circuit_breakers": {"thresholds": [{"max_connections": 2, "max_pending_requests": 16, "max_requests": 16}]},
        "typed_extension_protocol_options": HTTP2,
        "load_assignment": {"cluster_name": CLUSTER, "endpoints": [{"lb_endpoints": endpoints}]},
    }


HTTP2 = {
    "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": {"http2_protocol_options": {"connection_keepalive": {"interval": "10s", "timeout": "2s"}}},
    }
}
