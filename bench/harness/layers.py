"""What the steps of a request cost that criterion measures one by one: the `benches` of the crates."""

import json
import os
import subprocess
from dataclasses import dataclass

from processes import Failure

BARE = "bare transport"
# Of a call that is made, from its parts to the typed answer.
CALL_AIM_US = 5
CALL = "a read"
# Of a request whose caller was there before.
CALLER_AIM_US = 10
CALLERS = ("a bearer token, verified before", "a session in memory, seen before")


@dataclass(frozen=True)
class Bench:
    package: str
    name: str
    features: tuple = ()


STACK = Bench("upstream-client", "stack", ("--features", "bench"))
AUTHENTICATE = Bench("identity", "authenticate")


@dataclass(frozen=True)
class Costs:
    """Microseconds of CPU by what was measured: the median of criterion's samples, in its order."""

    calls: dict
    callers: dict


def measure(root, work):
    return Costs(medians_us(STACK, root, work), medians_us(AUTHENTICATE, root, work))


def medians_us(bench, root, work):
    command = ["cargo", "bench", "--locked", "--package", bench.package, *bench.features, "--bench", bench.name]
    home = work / "criterion" / bench.name
    environment = {**os.environ, "CRITERION_HOME": str(home)}
    listed = run(bench, [*command, "--", "--list"], root, environment)
    names = [line.removesuffix(": benchmark") for line in listed.splitlines() if line.endswith(": benchmark")]
    run(bench, [*command, "--", "--noplot"], root, environment)
    return {name: median_us(home, name) for name in names}


def run(bench, command, root, environment):
    done = subprocess.run(command, cwd=root, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise Failure(f"the benchmark {bench.name} of {bench.package} failed")
    return done.stdout


def median_us(home, name):
    for path in home.glob("*/new/benchmark.json"):
        if json.loads(path.read_text(encoding="utf-8"))["full_id"] == name:
            estimates = json.loads((path.parent / "estimates.json").read_text(encoding="utf-8"))
            return estimates["median"]["point_estimate"] / 1e3
    raise Failure(f"criterion says nothing of {name}")


def calls_table(costs):
    """One row for each, beside the bare transport."""
    bare = costs.calls[BARE]
    lines = ["| | CPU µs/call | beyond the transport |", "|---|---:|---:|"]
    for name, cost in costs.calls.items():
        beyond = "" if name == BARE else f"{cost - bare:.2f}"
        lines.append(f"| {name} | {cost:.2f} | {beyond} |")
    return "\n".join(lines)


def callers_table(costs):
    rows = [f"| {name} | {cost:.2f} |" for name, cost in costs.callers.items()]
    return "\n".join(["| | CPU µs |", "|---|---:|", *rows])


def aims(costs):
    """What is aimed at, the figure, the limit, and how both are written."""
    call = costs.calls[CALL] - costs.calls[BARE]
    return [
        ("CPU of the outbound stack beyond the transport, a read", call, CALL_AIM_US, ".1f", "µs"),
        *((f"CPU of knowing the caller: {name}", costs.callers[name], CALLER_AIM_US, ".1f", "µs") for name in CALLERS),
    ]
