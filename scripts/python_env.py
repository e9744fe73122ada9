"""The project's own Python environment, `.venv`: what the scripts need and the machine need not have."""

import fcntl
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
LOCK = "lock"


class Failure(Exception):
    """What went wrong, in one line for the person at the terminal."""


def install(requirements, announce=lambda text: None):
    """Makes sure that `requirements`, a file of exact versions, is installed; instant when it already is."""
    stamp = VENV / f"{requirements.parent.name}-{requirements.name}.sha256"
    digest = hashlib.sha256(requirements.read_bytes() + interpreter().encode()).hexdigest()
    VENV.mkdir(exist_ok=True)
    with open(VENV / LOCK, "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests start several gateways at once
        if read(stamp) == digest:
            return
        announce(f"Installing {requirements.relative_to(ROOT)} into .venv")
        make_venv()
        pip_install(requirements)
        stamp.write_text(digest, encoding="utf-8")


def interpreter():
    """The Python that runs this, by version and path; inside an environment, the one that the environment was made with."""
    return f"{sys.version_info[0]}.{sys.version_info[1]} {Path(sys.executable).resolve()}"


def make_venv():
    """Makes the environment anew unless it is this interpreter's and works."""
    made_with = VENV / "interpreter"
    if read(made_with) == interpreter() and run(VENV / "bin/python", "-m", "pip", "--version").returncode == 0:
        return
    empty_venv()
    made = run(Path(sys.executable).resolve(), "-m", "venv", VENV)
    if made.returncode != 0:
        raise Failure("python3 -m venv failed: install your system's package for it (Debian, Ubuntu: python3-venv)")
    made_with.write_text(interpreter(), encoding="utf-8")


def empty_venv():
    """Removes everything but the lock, at which others may be waiting."""
    for path in VENV.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name != LOCK:
            path.unlink()


def pip_install(requirements):
    pip = [VENV / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:"]
    installed = run(*pip, "--requirement", requirements)
    if installed.returncode != 0:
        raise Failure(f"pip could not install {requirements.relative_to(ROOT)}: {reason(installed.stderr)}")


def reason(stderr):
    """Why pip failed. Without a network its own last line says that the version does not exist."""
    lines = [line for line in stderr.splitlines() if line.startswith("ERROR")] or stderr.split("\n")[-2:-1] or ["no reason given"]
    broken = "connection broken by" in stderr and "(from versions: none)" in stderr
    if broken or "Max retries exceeded" in lines[-1]:
        return "cannot reach the package index"
    return lines[-1].removeprefix("ERROR: ")


def read(path):
    return path.read_text(encoding="utf-8") if path.exists() else None


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
