"""What a script needs before it can start a system: programs, a Redis, an Envoy."""

import os
import subprocess
import sys
from pathlib import Path

from processes import Failure

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / os.environ.get("CARGO_TARGET_DIR", "target")
PACKAGES = ("web-bff", "mobile-bff", "partner-bff", "demo-shop", "bench")


def add_arguments(parser):
    parser.add_argument("--profile", choices=("release", "dev"), default="release", help="dev is slower and builds sooner")
    parser.add_argument("--binaries", type=Path, help="a directory with programs that are built")


def build(profile):
    """The directory of the programs."""
    print(f"Building ({profile})", file=sys.stderr, flush=True)
    packages = ["--workspace", "--bins", "--examples"]  # as scripts/test does, so that both share one build
    if profile == "release":
        packages = [part for package in PACKAGES for part in ("--package", package)]
    try:
        if subprocess.run(["cargo", "build", "--locked", "--profile", profile, *packages], cwd=ROOT, check=False).returncode != 0:
            raise Failure("the build failed")
    except FileNotFoundError:
        raise Failure("cargo is missing: install Rust from https://rustup.rs") from None
    return TARGET / ("debug" if profile == "dev" else profile)


def redis_server():
    done = subprocess.run([ROOT / "scripts/redis"], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise Failure("scripts/redis failed")
    return done.stdout.strip()


def install_envoy():
    """In the environment of what is measured the gateway could not install it."""
    if subprocess.run([ROOT / "scripts/gateway", "--validate"], check=False).returncode != 0:
        raise Failure("scripts/gateway --validate failed")
