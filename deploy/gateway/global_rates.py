"""How many requests a caller may make to all gateways together, as the configuration of Envoy's `ratelimit`.

The counting is done by https://github.com/envoyproxy/ratelimit, in Redis; its settings are ratelimit/edge.yaml. The
buckets of this process (rates.py) come first and stay: they are what is left when the service does not answer.
"""

import rates
import replicas
import tracing

CLUSTER = "ratelimit"
DOMAIN = "edge"


def filter_item(address):
    """The filter, as an item of `http_filters`."""
    host, _ = replicas.split(address)
    return {
        "name": "envoy.filters.http.ratelimit",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.ratelimit.v3.RateLimit",
            "domain": DOMAIN,
            "timeout": "0.05s",
            # Nobody is refused because nobody can count.
            "failure_mode_deny": False,
            "enable_x_ratelimit_headers": "DRAFT_VERSION_03",
            "rate_limits": rates.actions(),
            "rate_limit_service": {
                "transport_api_version": "V3",
                "grpc_service": {"envoy_grpc": {"cluster_name": CLUSTER, "authority": host}},
            },
        },
    }


def cluster(address):
    endpoints = replicas.endpoints(replicas.parse(address))
    return {
        "name": CLUSTER,
        "type": "STRICT_DNS",
        "connect_timeout": "0.3s",
        # Who finds it full is let through, as when it does not answer.
        "circuit_breakers": {"thresholds": [{"max_connections": 4, "max_pending_requests": 256, "max_requests": 1024}]},
        "typed_extension_protocol_options": tracing.HTTP2,
        "load_assignment": {"cluster_name": CLUSTER, "endpoints": [{"lb_endpoints": endpoints}]},
    }
