"""Runs a command in a session of its own; a signal that would end this program ends all that the command started."""

import os
import signal
import subprocess
import sys
import time

GRACE_SECONDS = 15  # the test runner itself gives its tests 10

# What nohup has switched off stays off.
STOP = {signal.SIGINT, signal.SIGTERM} | ({signal.SIGHUP} if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN else set())
WATCHED = STOP | {signal.SIGCHLD}


def main():
    signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
    child = subprocess.Popen(sys.argv[1:], start_new_session=True, preexec_fn=unblock)
    while child.poll() is None:
        number = signal.sigwait(WATCHED)
        if number in STOP:
            stop(child)
            return 128 + number
    return child.returncode if child.returncode >= 0 else 128 - child.returncode


def unblock():
    signal.pthread_sigmask(signal.SIG_UNBLOCK, WATCHED)


def stop(child):
    """SIGTERM to the whole group; SIGKILL to who is left after the grace period, or at a second signal."""
    os.killpg(child.pid, signal.SIGTERM)
    deadline = time.monotonic() + GRACE_SECONDS
    while time.monotonic() < deadline and signal.sigtimedwait(STOP, 0.05) is None:
        child.poll()
        try:
            os.killpg(child.pid, 0)
        except ProcessLookupError:
            return
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


if __name__ == "__main__":
    sys.exit(main())
