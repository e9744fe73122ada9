"""A small repository with the services and crates of this one, for tests."""

import os
import subprocess
from pathlib import Path

from releasing.repository import Repository

# What each crate uses: of ours, of others, and for its tests alone.
CRATES = {
    "store": ("", "bytes", ""),
    "identity": ("store", "", ""),
    "screen": ("", "bytes", ""),
    "service-runtime": ("", "toml", ""),
    "test-support": ("store", "rand", ""),
    "web-bff": ("identity screen service-runtime", "", "test-support"),
    "mobile-bff": ("screen service-runtime", "", "test-support"),
    "partner-bff": ("identity service-runtime", "", "test-support"),
    "demo-shop": ("service-runtime", "", "rand"),
}
SERVICES = ("web-bff", "mobile-bff", "partner-bff", "demo-shop")
OUTSIDE = ("bytes", "toml", "rand")
# What packages from outside use themselves.
LOCKED = {"bytes": (), "toml": ("winnow",), "winnow": (), "rand": ("rand_core",), "rand_core": ()}

WORKSPACE = """\
[workspace]
resolver = "3"
members = ["crates/*"]

[workspace.package]
version = "0.1.0"
edition = "2024"

[workspace.dependencies]
{dependencies}

[workspace.lints.rust]
unsafe_code = "deny"

[profile.dev]
debug = false

[profile.release]
lto = "thin"
"""

CHANGELOG = """\
# Changelog

What changes.

## Unreleased

### Repository

#### Added

- A script.

### web-bff

#### Added

- A dashboard.
- Sessions.

#### Fixed

- A crash.

### mobile-bff

### gateway

#### Changed

- It is quicker.
"""


class Sample(Repository):
    """Made in a folder, with one commit on main. Nothing of the machine's git settings gets in."""

    def __init__(self, folder):
        super().__init__(Path(folder).resolve())
        self.environment = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        self.do("init", "--quiet", "--initial-branch=main")
        self.do("config", "user.name", "Somebody")
        self.do("config", "user.email", "somebody@example.com")
        self.write("Cargo.toml", WORKSPACE.format(dependencies="\n".join(workspace_dependencies())))
        for name in CRATES:
            self.write(f"crates/{name}/Cargo.toml", manifest(name))
            self.write(f"crates/{name}/src/{'main' if name in SERVICES else 'lib'}.rs", "fn main() {}\n")
        self.write("Cargo.lock", lock())
        self.write("deploy/gateway/VERSION", "0.1.0\n")
        self.write("CHANGELOG.md", CHANGELOG)
        self.commit_all("Begin")

    def do(self, *arguments):
        command = ["git", *arguments]
        subprocess.run(command, cwd=self.root, env={**os.environ, **self.environment}, check=True, stdout=subprocess.PIPE)

    def read(self, path):
        return (self.root / path).read_text(encoding="utf-8")

    def write(self, path, text):
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text, encoding="utf-8")

    def replace(self, path, old, new):
        text = self.read(path)
        assert old in text, f"{path} has no {old!r}"
        self.write(path, text.replace(old, new))

    def commit_all(self, message):
        self.do("add", "--all")
        self.do("commit", "--quiet", "--message", message)


def workspace_dependencies():
    ours = [f'{name} = {{ path = "crates/{name}" }}' for name in CRATES if name not in SERVICES]
    return [*ours, *(f'{name} = "1"' for name in OUTSIDE)]


def manifest(name):
    ours, outside, for_tests = (names.split() for names in CRATES[name])
    version = 'version = "0.1.0"' if name in SERVICES else "version.workspace = true"
    lines = ["[package]", f'name = "{name}"', version, "edition.workspace = true", "", "[dependencies]"]
    lines += [f"{dependency}.workspace = true" for dependency in ours + outside]
    lines += ["", "[dev-dependencies]", *(f"{dependency}.workspace = true" for dependency in for_tests)]
    return "\n".join(lines) + "\n"


def lock():
    blocks = ["version = 4\n"]
    for name, uses in CRATES.items():
        blocks.append(block(name, "0.1.0", [], sorted(" ".join(uses).split())))
    for name, uses in LOCKED.items():
        registry = ['source = "registry+https://github.com/rust-lang/crates.io-index"', f'checksum = "of-{name}-1"']
        blocks.append(block(name, "1.0.0", registry, uses))
    return "\n".join(blocks)


def block(name, version, more, uses):
    lines = ["[[package]]", f'name = "{name}"', f'version = "{version}"', *more]
    lines += ["dependencies = [", *(f' "{use}",' for use in uses), "]"] if uses else []
    return "\n".join(lines) + "\n"
