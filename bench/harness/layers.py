"""What a call costs on its way through the outbound stack, beyond its transport: `crates/upstream-client/benches`."""

import json
import os
import subprocess

from processes import Failure

BARE = "bare transport"
# Of a call that is made, from its parts to the typed answer.
AIM_US = 5
WHOLE = "a read"


def measure(root, work):
    """Microseconds of CPU a call, by what was measured; the median of criterion's samples, in its order."""
    command = ["cargo", "bench", "--locked", "--package", "upstream-client", "--features", "bench", "--bench", "stack"]
    home = work / "criterion"
    environment = {**os.environ, "CRITERION_HOME": str(home)}
    listed = run([*command, "--", "--list"], root, environment)
    names = [line.removesuffix(": benchmark") for line in listed.splitlines() if line.endswith(": benchmark")]
    run([*command, "--", "--noplot"], root, environment)
    return {name: median_us(home, name) for name in names}


def run(command, root, environment):
    done = subprocess.run(command, cwd=root, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise Failure("the benchmark of the layers failed")
    return done.stdout


def median_us(home, name):
    for path in home.glob("*/new/benchmark.json"):
        if json.loads(path.read_text(encoding="utf-8"))["full_id"] == name:
            estimates = json.loads((path.parent / "estimates.json").read_text(encoding="utf-8"))
            return estimates["median"]["point_estimate"] / 1e3
    raise Failure(f"criterion says nothing of {name}")


def table(layers):
    """One row for each, beside the bare transport."""
    bare = layers[BARE]
    lines = ["| | CPU µs/call | beyond the transport |", "|---|---:|---:|"]
    for name, cost in layers.items():
        beyond = "" if name == BARE else f"{cost - bare:.2f}"
        lines.append(f"| {name} | {cost:.2f} | {beyond} |")
    return "\n".join(lines)


def aim(layers):
    """What is aimed at, the figure, the limit, and how both are written."""
    return ("CPU of the outbound stack beyond the transport, a read", layers[WHOLE] - layers[BARE], AIM_US, ".1f", "µs")
