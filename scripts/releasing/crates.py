"""The crates of one revision: who uses whom, as cargo understands the manifests, and what Cargo.lock resolves."""

import json
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from releasing.services import Failure

HERE = Path(__file__).resolve().parent
# What makes a crate another one to those who use it. Where a file stands and how it describes itself does not.
OF_A_MANIFEST = ("version", "edition", "rust_version", "features", "links", "default_run")
OF_A_DEPENDENCY = ("name", "rename", "req", "kind", "optional", "uses_default_features", "features", "target", "registry")
TARGETS_OF_TESTS = {"test", "bench", "example"}
# Sections of the workspace's manifest that no image depends on, or whose effects cargo shows in each crate's manifest.
SEEN_ELSEWHERE = re.compile(r"workspace\.(dependencies|package|lints\b.*|metadata\b.*)|profile\.(dev|test|bench)\b.*")


@dataclass(frozen=True)
class Locked:
    """One package of Cargo.lock."""

    name: str
    version: str
    source: str
    checksum: str
    uses: tuple


@dataclass(frozen=True)
class Crate:
    """A member of the workspace, without what only its tests want."""

    name: str
    folder: str
    manifest: str
    uses: tuple


class Crates:
    """All of them at one revision, whose tree is in `root`."""

    def __init__(self, root):
        self.members = read_members(Path(root))
        self.lock = read_lock(Path(root) / "Cargo.lock")
        self.settings = read_settings(Path(root) / "Cargo.toml")

    def owner(self, path):
        """The member to which a file belongs."""
        inside = [crate for crate in self.members.values() if path.startswith(f"{crate.folder}/")]
        return max(inside, key=lambda crate: len(crate.folder), default=None)

    def ways(self, service):
        """{member: the shortest way to it}, the service first, over dependencies that are compiled into it."""
        ways, waiting = {}, [(service,)] if service in self.members else []
        while waiting:
            way = waiting.pop(0)
            if way[-1] not in ways:
                ways[way[-1]] = way
                waiting += [(*way, name) for name in self.members[way[-1]].uses if name in self.members]
        return ways

    def packages(self, service):
        """Every package from outside that Cargo.lock may give a service, on any platform and with any feature.

        It is asked by name: a member's line in Cargo.lock also has what its tests want.
        """
        found, waiting = set(), []
        for member in self.ways(service):
            wanted = set(self.members[member].uses) - self.members.keys()
            waiting += [line for line in self._entry(member).uses if line.split()[0] in wanted]
        while waiting:
            package = self._named(waiting.pop())
            if package not in found:
                found.add(package)
                waiting += package.uses
        return found

    def _entry(self, member):
        own = [package for package in self.lock if package.name == member and not package.source]
        if not own:
            raise Failure(f"Cargo.lock does not know {member}: cargo metadata writes it anew")
        return own[0]

    def _named(self, line):
        """A dependency in Cargo.lock is a name, with a version and a source where the name alone could be two packages."""
        name, version, source = (*line.split(), None, None)[:3]
        for package in self.lock:
            if package.name == name and version in (None, package.version) and source in (None, f"({package.source})"):
                return package
        raise Failure(f"Cargo.lock names {line!r} and does not have it")


def read_members(root):
    """What `cargo metadata` says of the workspace, with the toolchain of this checkout: another revision's may not be installed."""
    command = ["cargo", "metadata", "--no-deps", "--offline", "--format-version", "1", "--manifest-path", root / "Cargo.toml"]
    try:
        cargo = subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise Failure("cargo is missing: install Rust from https://rustup.rs") from None
    if cargo.returncode != 0:
        reason = " ".join(line.strip() for line in cargo.stderr.splitlines() if line.strip())
        raise Failure(f"cargo cannot read the workspace: {reason}")
    metadata = json.loads(cargo.stdout)
    place = os.path.realpath(metadata["workspace_root"])
    return {package["name"]: read_member(package, place) for package in metadata["packages"]}


def read_member(package, place):
    folder = os.path.relpath(os.path.dirname(os.path.realpath(package["manifest_path"])), place)
    compiled = [dependency for dependency in package["dependencies"] if dependency["kind"] != "dev"]
    manifest = {name: package.get(name) for name in OF_A_MANIFEST}
    manifest["dependencies"] = sorted(
        (json.dumps({name: dependency.get(name) for name in OF_A_DEPENDENCY}, sort_keys=True) for dependency in compiled)
    )
    manifest["targets"] = [
        [target["name"], target["kind"], os.path.relpath(target["src_path"], os.path.dirname(package["manifest_path"]))]
        for target in package["targets"]
        if not TARGETS_OF_TESTS & set(target["kind"])
    ]
    uses = tuple(sorted({dependency["name"] for dependency in compiled}))
    return Crate(package["name"], folder, json.dumps(manifest, sort_keys=True), uses)


def read_lock(path):
    """Cargo writes this file itself, always in the same form; Python reads TOML only from 3.11 on."""
    packages = []
    for block in path.read_text(encoding="utf-8").split("[[package]]\n")[1:]:
        field = dict(re.findall(r'^(\w+) = "(.*)"$', block, re.MULTILINE))
        uses = re.search(r"^dependencies = \[\n(.*?)^\]", block, re.MULTILINE | re.DOTALL)
        lines = tuple(re.findall(r'"(.*)"', uses.group(1))) if uses else ()
        packages.append(Locked(field["name"], field["version"], field.get("source", ""), field.get("checksum", ""), lines))
    return packages


def read_settings(path):
    """{section: its lines} of the workspace's manifest that are of concern to every crate: profiles, patches, the resolver."""
    sections, section = {}, None
    for line in map(str.strip, path.read_text(encoding="utf-8").splitlines()):
        if not line or line.startswith("#"):
            continue
        if line.startswith("["):
            section = line.strip("[]").replace('"', "")
        elif section and not SEEN_ELSEWHERE.fullmatch(section):
            sections.setdefault(section, []).append(line)
    return sections
