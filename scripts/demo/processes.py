"""Starts programs, watches them and ends them: none outlives the script, however the script ends."""

import ctypes
import http.client
import os
import signal
import subprocess
import sys
import time

LIBC = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
LAST_LINES = 12
GRACE_SECONDS = 8


class Failure(Exception):
    """What went wrong, for the person at the terminal."""


class Stopped(BaseException):
    """Somebody asked the script to end: Ctrl-C, SIGTERM, or a terminal that was closed."""

    def __init__(self, number, _frame):
        super().__init__(signal.Signals(number).name)
        self.number = number


def stop_on_signals():
    def raise_stopped(*args):
        raise Stopped(*args)

    for number in STOP_SIGNALS:
        signal.signal(number, raise_stopped)


class Processes:
    """A context: on leaving it, everything that was started in it is ended, the last one first."""

    def __init__(self, log_dir):
        self.log_dir = log_dir
        self.running = {}
        log_dir.mkdir(parents=True, exist_ok=True)

    def start(self, name, command, env=None):
        """Starts a program; what it writes goes to its log."""
        with open(self.log(name), "wb") as log:
            self.running[name] = self.spawn(command, env, stdout=log, stderr=subprocess.STDOUT)

    def run(self, what, command):
        """Runs a program to its end in this terminal; its standard output is returned."""
        process = self.running[what] = self.spawn(command, None, stdout=subprocess.PIPE, stderr=None)
        output = process.stdout.read()
        status = process.wait()
        del self.running[what]
        if status != 0:
            raise Failure(f"{what} failed, for the reason above")
        return output

    @staticmethod
    def spawn(command, env, **streams):
        script = os.getpid()
        # A session of its own: Ctrl-C comes to the script alone, which then ends the programs in order.
        return subprocess.Popen(
            [str(part) for part in command],
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=lambda: die_with(script),
            **streams,
        )

    def log(self, name):
        return self.log_dir / f"{name}.log"

    def require_alive(self):
        """Fails with the last lines of the log of the first program that ended."""
        for name, process in self.running.items():
            if process.poll() is not None:
                lines = self.log(name).read_text(encoding="utf-8", errors="replace").splitlines()[-LAST_LINES:]
                how = f"exit code {process.returncode}" if process.returncode >= 0 else f"signal {-process.returncode}"
                raise Failure("\n".join([f"{name} ended with {how}; the end of {self.log(name)}:", *lines]))

    def wait_until(self, ready, what, seconds=30):
        """Waits until `ready()`, as long as every program lives."""
        deadline = time.monotonic() + seconds
        while not ready():
            self.require_alive()
            if time.monotonic() > deadline:
                raise Failure(f"{what} is not ready after {seconds} s: see {self.log_dir}")
            time.sleep(0.02)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        for process in reversed(self.running.values()):
            self.end(process)

    @staticmethod
    def end(process):
        """SIGTERM to the program and what it started, SIGKILL to whoever takes too long."""
        try:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(GRACE_SECONDS)
        except ProcessLookupError:
            process.wait()
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def die_with(script):
    """On Linux the kernel ends a program whose parent was killed and could not end it itself."""
    if sys.platform == "linux":
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != script:
            os._exit(1)  # it was killed in between


def answers(port, path):
    """Whether GET `path` on this port is answered with 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
