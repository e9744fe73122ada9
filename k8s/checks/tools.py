"""What the checks run: kustomize, and the types of custom resources. Both are put beside the build, and nothing is installed."""

import hashlib
import platform
import shutil
import subprocess
import tempfile
import urllib.request
from pathlib import Path

from python_env import ROOT, Failure

HERE = Path(__file__).resolve().parent
TOOLS = ROOT / "target/tools"
NODE_MODULES = HERE / "node_modules"

# Debian's, which needs no more than its libc: kustomize 5.6.0, as kubectl 1.33 has it inside.
POOL = "http://deb.debian.org/debian/pool/main/k/kustomize/"
PACKAGES = {
    "x86_64": (
        "kustomize_5.6.0+ds-1+b2_amd64.deb",
        "552bbe5563b522685b10f75a9a226bfbee9778fc313b205d595fdbb7e9c70e33",
    ),
    "aarch64": (
        "kustomize_5.6.0+ds-1+b2_arm64.deb",
        "32d0e1959b5fc257101c8d6139da72af38ff7ce777089666f9d1c916810f1800",
    ),
}


def kustomize():
    """The command that renders an overlay: Debian's kustomize, or where that cannot be had the machine's own, or kubectl."""
    unpacked = TOOLS / "kustomize/usr/bin/kustomize"
    if not unpacked.exists():
        try:
            unpack_kustomize(unpacked)
        except (Failure, OSError) as error:
            return own_kustomize(error)
    return [unpacked, "build"]


def own_kustomize(error):
    for command in (["kustomize", "build"], ["kubectl", "kustomize"]):
        if shutil.which(command[0]):
            return command
    raise Failure(f"there is no kustomize 5 or kubectl on PATH, and Debian's cannot be fetched: {error}")


def unpack_kustomize(program):
    if platform.machine() not in PACKAGES or not shutil.which("dpkg"):
        raise Failure(f"there is no package for {platform.machine()}, or no dpkg to unpack it")
    name, digest = PACKAGES[platform.machine()]
    TOOLS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=TOOLS) as folder:
        package = Path(folder) / name
        with urllib.request.urlopen(POOL + name, timeout=60) as answer:
            package.write_bytes(answer.read())
        if hashlib.sha256(package.read_bytes()).hexdigest() != digest:
            raise Failure(f"{name} is not the package that was expected")
        subprocess.run(["dpkg", "-x", package, Path(folder) / "root"], check=True)
        subprocess.run([Path(folder) / "root/usr/bin/kustomize", "version"], check=True, stdout=subprocess.DEVNULL)
        # Whoever was faster has the same.
        if not program.exists():
            shutil.rmtree(TOOLS / "kustomize", ignore_errors=True)
            (Path(folder) / "root").rename(TOOLS / "kustomize")


def install_types():
    """What is installed is what the lock says: a copy of it stays beside the packages."""
    if not shutil.which("node"):
        raise Failure("node is missing: install Node.js 20 or later")
    lock, installed = HERE / "package-lock.json", NODE_MODULES / ".lock"
    if installed.exists() and installed.read_bytes() == lock.read_bytes():
        return
    npm = ["npm", "--prefix", HERE, "ci", "--no-audit", "--no-fund", "--loglevel=error"]
    if subprocess.run(npm, stdout=subprocess.DEVNULL, check=False).returncode:
        raise Failure("npm could not install k8s/checks/package-lock.json")
    shutil.copy(lock, installed)
