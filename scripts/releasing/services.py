"""The services that are released alone, and which files outside their crates go into their images."""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path


class Failure(Exception):
    """What went wrong, in one line for the person at the terminal."""


@dataclass(frozen=True)
class Service:
    """A crate of the same name, or, without one, a file that has the version."""

    name: str
    version_file: str
    has_crate: bool = True
    dockerfile: str = "deploy/Dockerfile"


SERVICES = (
    Service("web-bff", "crates/web-bff/Cargo.toml"),
    Service("mobile-bff", "crates/mobile-bff/Cargo.toml"),
    Service("partner-bff", "crates/partner-bff/Cargo.toml"),
    Service("demo-shop", "crates/demo-shop/Cargo.toml"),
    Service("gateway", "deploy/gateway/VERSION", has_crate=False, dockerfile="deploy/gateway/Dockerfile"),
)
NAMES = tuple(service.name for service in SERVICES)
WITH_CRATE = tuple(service.name for service in SERVICES if service.has_crate)

# What goes into images beside crates: the first pattern that a path matches decides. A folder stands for all that is in it.
INPUTS = (
    # Tests of the gateway, and what they stand on.
    ("deploy/gateway/test_*.py", ()),
    ("deploy/gateway/stand_in*.py", ()),
    ("deploy/gateway/running_gateway.py", ()),
    ("deploy/gateway", ("gateway",)),
    ("deploy/web-app", ("gateway",)),
    # What starts the gateway, in its image as on a machine.
    ("scripts/gateway", ("gateway",)),
    ("scripts/certificate", ("gateway",)),
    ("scripts/python_env.py", ("gateway",)),
    ("deploy/Dockerfile", WITH_CRATE),
    (".dockerignore", NAMES),
    ("rust-toolchain.toml", WITH_CRATE),
    (".cargo", WITH_CRATE),
)


def find(name):
    for service in SERVICES:
        if service.name == name:
            return service
    raise Failure(f"there is no service {name!r}: it is one of {', '.join(NAMES)}")


def with_input(path):
    """The services into whose images a file or folder outside all crates goes."""
    for pattern, services in INPUTS:
        if fnmatchcase(path, pattern) or path.startswith(f"{pattern}/"):
            return services
    return ()


def version_of(service, root):
    """The version that a file of the tree says."""
    text = (Path(root) / service.version_file).read_text(encoding="utf-8")
    return read_version(service, text)


def read_version(service, text):
    if not service.has_crate:
        return text.strip()
    for line in text.split("\n[", 2)[0].splitlines():
        if line.startswith("version = "):
            return line.split('"')[1]
    raise Failure(f"{service.version_file} has no version of its own")
