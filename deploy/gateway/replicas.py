"""The replicas of a BFF: where each is asked, and where it says whether it is ready.

An address is HOST:PORT, or HOST:PORT/ADMIN_PORT for a replica that is asked for its readiness; several are joined by
commas. A host that is a name stands for all the addresses it has.
"""

import re
from dataclasses import dataclass

READINESS = "/readyz"


class BadAddress(ValueError):
    """An address that is not HOST:PORT."""


@dataclass(frozen=True)
class Replica:
    """One address, or all that one name has."""

    host: str
    port: int
    admin_port: int | None = None


def parse(text):
    """[Replica("::1", 80, 90)] from "[::1]:80/90". Either each has an admin port, or none has."""
    replicas = [parse_one(part) for part in text.split(",")]
    if len({replica.admin_port is None for replica in replicas}) > 1:
        raise BadAddress(f"{text!r} has an admin port for some replicas and not for others")
    return replicas


def parse_one(text):
    address, slash, admin_port = text.partition("/")
    if slash and not is_port(admin_port):
        raise BadAddress(f"{text!r} is not HOST:PORT/ADMIN_PORT")
    return Replica(*split(address), int(admin_port) if slash else None)


def split(address):
    """("::1", 80) from "[::1]:80"."""
    match = re.fullmatch(r"(?:\[([0-9a-fA-F:.]+)\]|([0-9A-Za-z._-]+)):([0-9]{1,5})", address)
    if not match or int(match[3]) > 65535:
        raise BadAddress(f"{address!r} is not HOST:PORT")
    return match[1] or match[2], int(match[3])


def is_port(text):
    return re.fullmatch("[0-9]{1,5}", text) and 0 < int(text) <= 65535


def endpoints(replicas):
    """As Envoy's `lb_endpoints`."""
    return [{"endpoint": endpoint(replica)} for replica in replicas]


def endpoint(replica):
    address = {"address": {"socket_address": {"address": replica.host, "port_value": replica.port}}}
    if replica.admin_port is None:
        return address
    return address | {"health_check_config": {"port_value": replica.admin_port}}


def health_checks(replicas):
    """As a cluster's `health_checks`: none where nobody has an admin port.

    A replica that drains says 503, and is left alone at once; one that says nothing is after two times.
    """
    if replicas[0].admin_port is None:
        return []
    return [
        {
            "interval": "1s",
            "interval_jitter": "0.1s",
            "no_traffic_interval": "1s",
            "unhealthy_edge_interval": "0.25s",
            "timeout": "1s",
            "unhealthy_threshold": 2,
            "healthy_threshold": 1,
            "http_health_check": {"path": READINESS},
        }
    ]
