"""What the soak shows, as text for the terminal and for docs/soak.md."""

from report import machine
from traffic import count, share

SPAN_SECONDS = 5

DOCUMENT = """\
# Soak

What the BFFs do when there is too much to do, when a service is out, and when everything fails a little. Written by
`scripts/soak`, which anyone can run; `scripts/soak --short` takes a minute and a half, judges by shorter phases and
writes nothing. It fails when a promise is not held.

## How

demo-shop and the three BFFs run with the settings of the demo, in one process each, without a gateway. `open-load`
(`bench/src/open.rs`) sends requests when they are due, whether or not those before are answered, as independent
clients would: Poisson arrivals, latencies from the moment at which a request was due. Who reads and gets nothing tries
once more, half a second later, which makes an overload worse; a checkout has one try.

| class | request | priority in the BFF | share |
|---|---|---|---:|
{mix}

The orders service has a real capacity: so many calls are worked on at once, each takes its time, the rest wait in one
queue, whatever their priority. It does not notice who has left, and refuses only when 10,000 wait. So without limits
in front of it everyone waits longer than anyone has time for, and it goes on working for nobody when the load is
normal again. Each request of the first three classes needs one call to it, and none can share another's: they are of
{users} users, and no URL of a batch comes twice.

`good` is a success without warnings, `degraded` one with, `shed` a `503` that says `overloaded`, `failed` everything
else. All of them count for the second in which the request was due. Liveness is asked for four times a second.

## What was promised, and what was measured

{promises}

{scenarios}

## The machine

{machine} The generator, the services and the BFFs share its cores, with {profile} builds. {neighbours}
"""

REQUESTS = {
    "checkout": ("web `POST /orders`, each with an `Idempotency-Key` of its own", "checkout"),
    "page": ("web `GET /orders`", "page"),
    "batch": ("partner `GET /v1/orders`", "batch"),
    "other": ("web `GET /products?q=a`, which needs no orders", "page"),
}


def document(results, weights, users, profile, neighbours):
    rows = ["| {} | {} | {} | {} % |".format(name, *REQUESTS[name], weight) for name, weight in weights.items()]
    return DOCUMENT.format(
        mix="\n".join(rows),
        users=users,
        promises=promises_table(results),
        scenarios="\n\n".join(scenario(result) for result in results),
        machine=machine(),
        profile=profile,
        neighbours=f"Other processes took {neighbours:.0%} of it meanwhile.",
    )


def promises_table(results):
    lines = ["| scenario | what | promised | measured | |", "|---|---|---|---|---|"]
    for result in results:
        for promise in result.promises:
            verdict = "held" if promise.held else "**not held**"
            lines.append(f"| {result.title} | {promise.what} | {promise.limit} | {promise.measured} | {verdict} |")
    return "\n".join(lines)


def scenario(result):
    parts = [f"## {result.title[0].upper()}{result.title[1:]}", f"{capitalised(result.story)}.", phases_table(result.traffic)]
    parts += ["Good answers in each span of time, of those that were due:", timeline(result.traffic), *result.notes]
    return "\n\n".join(parts)


def capitalised(text):
    return text[0].upper() + text[1:]


def phases_table(traffic):
    lines = [
        "| phase | class | due/s | good | degraded | shed | failed | good p50 / p99 ms | shed p99 ms | failed p50 ms | failures |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---|",
    ]
    for phase, total in traffic.totals.items():
        for name, outcomes in total["classes"].items():
            if outcomes["offered"]:
                lines.append(f"| {phase} | {name} | {' | '.join(cells(total, name, outcomes))} |")
    return "\n".join(lines)


def cells(total, name, outcomes):
    parts = [f"{share([total], {name}, what):.1%}" for what in ("good", "degraded", "shed")]
    failed = share([total], {name}, "failed") + share([total], {name}, "unsent")
    good, shed, lost = (outcomes[what] for what in ("good", "shed", "failed"))
    reasons = dict(outcomes["reasons"]) | ({"not sent": outcomes["unsent"]} if outcomes["unsent"] else {})
    most = sorted(reasons.items(), key=lambda reason: -reason[1])[:3]
    return [
        f"{outcomes['offered'] / total['seconds']:.0f}",
        *parts,
        f"{failed:.1%}",
        f"{good['p50Ms']:.1f} / {good['p99Ms']:.1f}" if good["count"] else "–",
        f"{shed['p99Ms']:.1f}" if shed["count"] else "–",
        f"{lost['p50Ms']:.1f}" if lost["count"] else "–",
        ", ".join(f"{reason} ×{number}" for reason, number in most),
    ]


def timeline(traffic):
    """The share of good answers, a column for each span."""
    names = list(traffic.seconds[0]["classes"])
    lines = [f"| seconds | phase | {' | '.join(names)} |", f"|---|---|{'---:|' * len(names)}"]
    spans, phases = [], traffic.totals
    for phase in phases:
        seconds = traffic.of(phase)
        spans += [seconds[start : start + SPAN_SECONDS] for start in range(0, len(seconds), SPAN_SECONDS)]
    for span in shortened(spans):
        values = [f"{share(span, {name}):.0%}" if sum(count(span, {name}, "offered")) else "–" for name in names]
        first, last = span[0]["second"], span[-1]["second"] + 1
        lines.append(f"| {first}–{last} | {span[0]['phase']} | {' | '.join(values)} |")
    return "\n".join(lines)


def shortened(spans):
    """A phase of hours in twelve rows at most, by joining its spans."""
    joined = []
    for phase in dict.fromkeys(span[0]["phase"] for span in spans):
        of_phase = [span for span in spans if span[0]["phase"] == phase]
        width = -(-len(of_phase) // 12)
        joined += [sum(of_phase[start : start + width], []) for start in range(0, len(of_phase), width)]
    return joined


def aligned(table):
    """A table of Markdown with columns of equal width, for a terminal."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    rows = [row for row in rows if not set("".join(row)) <= set("-:")]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows)
