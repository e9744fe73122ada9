"""What the measurement says, as text for the terminal and for docs/benchmarks.md."""

import os
import platform
from pathlib import Path

import layers
import telemetry
from measure import CONNECTIONS, MANY_CONNECTIONS, median, spread
from system import THREADS, USERS

MEGA = 1e6
# What a machine does beside us that it would not be called busy for.
QUIET = 0.05

DOCUMENT = """\
# Benchmarks

What a BFF costs beyond the work itself. Written by `scripts/bench`, which anyone can run; `scripts/bench --short`
takes five minutes, is less steady and writes nothing.

## What is compared

`mobile-bff`'s `/home` and `web-bff`'s `/dashboard` with `bare` (`bench/src/bare.rs`): a hyper program that makes the
same upstream calls at the same time over kept connections, decodes the same fields and answers the same JSON, and
does nothing else. The script first checks that both answer the same. Both are release builds with the same
allocator and {threads} worker threads. Behind both stands `fixed-upstream`, which repeats from memory what demo-shop answered
for Ada Lovelace, so that neither waits for the services.

| screen | upstream calls | answer |
|---|---|---|
{screens}

On in the BFF, as in production: authentication (on mobile a bearer token, verified once and then remembered; on the web a session in memory), request id
and trace context, deadlines, the access log as JSON lines (into a file), `ETag`, security headers, limits of
connections, time and size, answers checked against their contracts, retries, hedging, breakers, adaptive limits; over OTLP
metrics, logs and 1 % of the traces.
Off: compression, because the requests send no `Accept-Encoding`.

`bare` keeps nothing and shares nothing, so the BFF is measured in three ways:

- *call for call*: the cache and coalescing are off, and the BFF makes every call that `bare` makes. This is the ratio that
  is promised.
- *one user*: the settings as they are by default, and one user asks all the time. Most calls are not made at all: it shows what
  a cache can save at best, and is no fair comparison.
- *many users*: the same settings, and each of {users:,} users asks once before everything that is kept is forgotten. What
  is kept for one user helps nobody; what is kept for all helps the others.

## CPU per request

{connections} connections ask one after the other, without a pause, over HTTP/1.1; the programs are asked in turn, {rounds} rounds of {seconds:g} s
each. CPU is what the kernel charges the process under test for its own work and for the kernel's on its behalf
(`/proc/<pid>/stat`), by the number of requests. The ratio is the median over the rounds, with the range of the
middle half of them; other figures are medians.

{cpu}

Requests a second and latencies are for comparing the two programs only: the load generator and the upstream share
the machine's cores with them, and the cores are fully used.

## CPU per upstream call

One call through the outbound stack over a transport in memory, on one thread, and each layer alone over the same
transport (`crates/upstream-client/benches/stack.rs`, with criterion): the CPU time of the thread, the median. A whole
call is put together from its parts, its headers are made, and its answer of 82 bytes is decoded and checked.

{calls}

## CPU per caller

Who is calling is found out once for each request, and each call gets a token for its service; as above, the CPU time of one thread
(`crates/identity/benches/authenticate.rs`). A thousand callers take turns; tokens and proofs are signed with Ed25519, and sessions were
begun by signing in.

{callers}

## Telemetry

The same screens call for call, with telemetry off and exported over OTLP (HTTP, protobuf) to a collector on this machine that counts
what it is sent (`bench/src/sink.rs`): traces of 1 % of the requests, of all of them, and of all of them where no collector listens and where
one takes what it is sent and never answers. Each is asked at the same time as one with telemetry off, so that the machine is the same for both: {connections} connections
together, {telemetry_rounds} rounds; the ratios are those of one round. The cores are fully used, so with all traces a BFF makes more spans than it may keep: what is dropped is counted, and costs less than what is sent.

{telemetry}

## Memory and start

{memory}

The BFFs have their default settings. Idle is before the first request. `At {many} connections` is the most that was resident while they asked without a
pause. Ready is from starting the process to `/readyz` answering `200` on the admin port, the median of {starts} starts
with the range of the middle half.

## Aims

{aims}

## The machine

{machine} {neighbours}
"""

CALLS = {
    "/home": "4: profile, 3 orders, promos, unread count",
    "/dashboard": "7: profile, billing, usage, notifications, promos, 50 orders and then their products in one",
}


def document(results):
    return DOCUMENT.format(
        threads=THREADS,
        users=USERS,
        calls=layers.calls_table(results.layers),
        callers=layers.callers_table(results.layers),
        telemetry=telemetry.table(results.telemetry),
        telemetry_rounds=telemetry.rounds(results.effort),
        connections=CONNECTIONS,
        many=MANY_CONNECTIONS,
        rounds=results.effort.rounds,
        seconds=results.effort.seconds,
        starts=results.effort.starts,
        screens="\n".join(screen_row(comparison) for comparison in results.comparisons),
        cpu=cpu_table(results.comparisons),
        memory=memory_table(results),
        aims=aims_table(results),
        machine=machine(),
        neighbours=neighbours(results.neighbours),
    )


def summary(results):
    """The same figures without the explanations."""
    tables = [cpu_table(results.comparisons), *layer_tables(results.layers), telemetry.table(results.telemetry)]
    return "\n\n".join([*tables, memory_table(results), aims_table(results), neighbours(results.neighbours)])


def layers_summary(costs):
    return "\n\n".join([*layer_tables(costs), rows_of_aims("measured", layers.aims(costs))])


def telemetry_summary(costs, share):
    return "\n\n".join([telemetry.table(costs), rows_of_aims("measured, the worse screen", telemetry.aims(costs)), neighbours(share)])


def layer_tables(costs):
    return [layers.calls_table(costs), layers.callers_table(costs)]


def screen_row(comparison):
    path = comparison.screen.path
    return f"| `{comparison.screen.bff}` `{path}` | {CALLS[path]} | {comparison.body_bytes:,} bytes |"


def cpu_table(comparisons):
    lines = ["| | CPU µs/request | ratio | requests/s | p50 ms | p99 ms |", "|---|---:|---:|---:|---:|---:|"]
    for comparison in comparisons:
        screen = comparison.screen
        lines.append(cpu_row(f"`{screen.path}` bare", comparison.bare, "1"))
        for way, program in ways(comparison).items():
            ratio = spread(comparison.ratios(program), ".2f")
            lines.append(cpu_row(f"`{screen.path}` {screen.bff}, {way}", program, ratio))
    return "\n".join(lines)


def ways(comparison):
    return {"call for call": comparison.bff, "one user": comparison.one_user, "many users": comparison.many_users}


def cpu_row(name, program, ratio):
    latencies = [f"{median(values) / 1e3:.2f}" for values in (program.p50_us, program.p99_us)]
    cells = [name, f"{median(program.cpu_us):.0f}", ratio, f"{median(program.per_second):,.0f}", *latencies]
    return f"| {' | '.join(cells)} |"


def memory_table(results):
    lines = [f"| | idle MB | at {MANY_CONNECTIONS} connections MB | ready ms |", "|---|---:|---:|---:|"]
    for comparison in results.comparisons:
        screen = comparison.screen
        ready = spread(results.ready_ms[screen.bff], ".0f")
        for name, program, ready in ((f"bare `{screen.path}`", comparison.bare, ""), (screen.bff, comparison.one_user, ready)):
            lines.append(f"| {name} | {program.idle_bytes / MEGA:.1f} | {program.busy_bytes / MEGA:.1f} | {ready} |")
    return "\n".join(lines)


def aims_table(results):
    """Each aim with the worst BFF's figure."""
    ratio = max(median(comparison.ratios()) for comparison in results.comparisons)
    idle = max(comparison.one_user.idle_bytes for comparison in results.comparisons) / MEGA
    busy = max(comparison.one_user.busy_bytes for comparison in results.comparisons) / MEGA
    ready = max(median(times) for times in results.ready_ms.values())
    aims = [
        ("CPU of a screen call for call, by that of the bare program: the first aim", ratio, 1.5, ".2f", "×"),
        ("CPU of a screen call for call, by that of the bare program: the promise", ratio, 1.25, ".2f", "×"),
        *layers.aims(results.layers),
        *telemetry.aims(results.telemetry),
        ("resident idle", idle, 20, ".1f", "MB"),
        (f"resident at {MANY_CONNECTIONS} connections", busy, 50, ".1f", "MB"),
        ("ready after", ready, 100, ".0f", "ms"),
    ]
    return rows_of_aims("measured, the worse BFF", aims)


def rows_of_aims(measured, aims):
    lines = [f"| what | at most | {measured} | |", "|---|---:|---:|---|"]
    for what, value, limit, form, unit in aims:
        met = "met" if value <= limit else "**not met**"
        lines.append(f"| {what} | {limit:g} {unit} | {value:{form}} {unit} | {met} |")
    return "\n".join(lines)


def machine():
    cpu = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    models = {line.partition(":")[2].strip() for line in cpu.splitlines() if line.startswith("model name")}
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    return (
        f"{os.cpu_count()} cores, {', '.join(sorted(models)) or platform.machine()}, {memory:.0f} GiB of memory, "
        f"{platform.system()} {platform.release()}."
    )


def neighbours(share):
    judgement = "which leaves the figures steady" if share < QUIET else "so the figures are unsteady: measure again when it is quiet"
    return f"Other processes took {share:.0%} of it meanwhile, {judgement}."
