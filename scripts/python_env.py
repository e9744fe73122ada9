"""The project's own Python environment, `.venv`: what the scripts need and the machine need not have."""

import fcntl
import hashlib
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"


class Failure(Exception):
    """What went wrong, in one line for the person at the terminal."""


def install(requirements, announce=lambda text: None):
    """Makes sure that `requirements`, a file of exact versions, is installed; instant when it already is."""
    stamp = VENV / f"{requirements.parent.name}-{requirements.name}.sha256"
    digest = hashlib.sha256(requirements.read_bytes()).hexdigest()
    VENV.mkdir(exist_ok=True)
    with open(VENV / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests start several gateways at once
        if stamp.exists() and stamp.read_text(encoding="utf-8") == digest:
            return
        announce(f"Installing {requirements.relative_to(ROOT)} into .venv")
        make_venv()
        pip_install(requirements)
        stamp.write_text(digest, encoding="utf-8")


def make_venv():
    if run(VENV / "bin/python", "-m", "pip", "--version").returncode == 0:
        return
    made = run(sys.executable, "-m", "venv", VENV)
    if made.returncode != 0:
        raise Failure("python3 -m venv failed: install your system's package for it (Debian, Ubuntu: python3-venv)")


def pip_install(requirements):
    pip = [VENV / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:"]
    installed = run(*pip, "--requirement", requirements)
    if installed.returncode != 0:
        lines = [line for line in installed.stderr.splitlines() if line.startswith("ERROR")] or ["no reason given"]
        raise Failure(f"pip could not install {requirements.relative_to(ROOT)}: {lines[-1].removeprefix('ERROR: ')}")


def run(*command):
    try:
        return subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    except OSError as error:
        return subprocess.CompletedProcess(command, 127, "", str(error))


if __name__ == "__main__":
    try:
        install(Path(sys.argv[1]).resolve(), announce=print)
    except (Failure, OSError) as error:
        sys.exit(f"python_env: {error}")
