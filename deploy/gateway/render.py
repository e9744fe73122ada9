"""Fills in the template envoy.yaml."""

import json
import re
import string
from pathlib import Path

import problems

TEMPLATE = Path(__file__).with_name("envoy.yaml")


class BadAddress(ValueError):
    """An address that is not HOST:PORT."""


def render(addresses):
    """The configuration for `addresses`: {"LISTEN": "127.0.0.1:8080", "ADMIN": …, "WEB": …, "MOBILE": …, "PARTNER": …}.

    A placeholder without a value is a KeyError.
    """
    values = {"PROBLEM_MAPPERS": json.dumps(problems.mappers())}  # JSON is YAML
    for name, address in addresses.items():
        values[f"{name}_HOST"], values[f"{name}_PORT"] = split(address)
    return string.Template(TEMPLATE.read_text(encoding="utf-8")).substitute(values)


def split(address):
    """("::1", 80) from "[::1]:80"."""
    match = re.fullmatch(r"(?:\[([0-9a-fA-F:.]+)\]|([0-9A-Za-z._-]+)):([0-9]{1,5})", address)
    if not match or int(match[3]) > 65535:
        raise BadAddress(f"{address!r} is not HOST:PORT")
    return match[1] or match[2], int(match[3])
