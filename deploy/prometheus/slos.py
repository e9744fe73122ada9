"""Renders rules/slos.yaml from slos.yaml: what is recorded of each screen, and the alerts of its error budget.

The alerts are those of the Site Reliability Workbook, chapter 5: several windows, several burn rates. A burn rate of 1
uses the budget up in exactly 30 days.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

HERE = Path(__file__).parent
SOURCE = HERE / "slos.yaml"
RENDERED = HERE / "rules/slos.yaml"

# The buckets of http.server.request.duration, in seconds (OpenTelemetry's semantic conventions).
BOUNDARIES = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
INTERVAL_SECONDS = 30
# What is recorded, and averaged over longer windows. Longer than a few scrapes apart, shorter than the first minutes of
# an outage: it is how much later than at once an outage is seen.
BASE = "2m"
WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")
# Severity: pairs of (burn rate, long window, short window); and the window in which at least MIN_BAD answers were bad.
BURNS: dict[str, tuple[list[tuple[float, str, str]], str]] = {
    "page": ([(14.4, "1h", "5m"), (6, "6h", "30m")], "6h"),
    "ticket": ([(3, "1d", "2h"), (1, "3d", "6h")], "3d"),
}
# Fewer are no reason to get up: at night one failed request may be half of the traffic.
MIN_BAD = 10

SCREEN = "job, http_request_method, http_route"
COUNT = "http_server_request_duration_seconds_count"
BUCKET = "http_server_request_duration_seconds_bucket"
SERVER_ERROR = 'http_response_status_code=~"5.."'
NO_SERVER_ERROR = 'http_response_status_code!~"5.."'


class BadObjective(ValueError):
    """An objective that cannot be rendered, and what would be right."""


@dataclass(frozen=True)
class Screen:
    """One screen and what it owes. Without `available` it owes nothing."""

    service: str
    method: str
    route: str
    available: float | None
    within: float | None
    share: float | None

    def labels(self) -> dict[str, str]:
        return {"job": self.service, "http_request_method": self.method, "http_route": self.route}


def read(source: Path = SOURCE) -> list[Screen]:
    screens = [screen for group in yaml.safe_load(source.read_text(encoding="utf-8")) for screen in of_group(group)]
    named = [(screen.service, screen.method, screen.route) for screen in screens]
    for name in named:
        if named.count(name) > 1:
            raise BadObjective(f"{' '.join(name)} has two objectives")
    return screens


def of_group(group: dict) -> Iterator[Screen]:
    available, within, share = (group.get(key) for key in ("available", "within", "share"))
    if (within is None) != (share is None):
        raise BadObjective(f"{group['screens']}: `within` and `share` go together")
    if within not in (None, *BOUNDARIES):
        raise BadObjective(f"{group['screens']}: within {within} is no bucket boundary; take one of {BOUNDARIES}")
    for percent in filter(None, (available, share)):
        # Below, nothing could ever burn 14.4 times as fast as it may.
        if not 94 <= percent < 100:
            raise BadObjective(f"{group['screens']}: {percent} must be at least 94, and less than 100")
    if available and not group.get("why"):
        raise BadObjective(f"{group['screens']}: say why")
    for screen in group["screens"]:
        method, route = screen.split(" ")
        yield Screen(group["service"], method, route, available, within, share)


def render(screens: list[Screen]) -> str:
    groups = [
        group("slo objectives", 60, objectives(screens)),
        group("slo burn rates", INTERVAL_SECONDS, [*answers(screens), *burn_rates()]),
        group("slo budgets", 300, [record("slo:budget_left:ratio", f"1 - {burn('30d')}")]),
        group("slo alerts", INTERVAL_SECONDS, alerts()),
    ]
    head = "# Rendered from ../slos.yaml by `scripts/alerts --write`: do not edit.\n\n"
    return head + yaml.dump({"groups": groups}, Dumper=Readable, sort_keys=False, width=160, allow_unicode=True)


def objectives(screens: list[Screen]) -> list[dict]:
    """What is owed, as series: every other rule is written once and joined with these."""
    rules = []
    for screen in screens:
        for kind, percent in (("availability", screen.available), ("latency", screen.share)):
            if percent:
                labels = {**screen.labels(), "slo": kind}
                rules.append(record("slo:objective:ratio", f"vector({round(percent / 100, 6)})", labels))
        if screen.within:
            rules.append(record("slo:latency:seconds", f"vector({screen.within})", screen.labels()))
    return rules


def answers(screens: list[Screen]) -> list[dict]:
    """How many answers a second there are, and how many of them are bad, by screen and kind of objective."""
    everything, judged = f"rate({COUNT}[{BASE}])", f"rate({COUNT}{{{NO_SERVER_ERROR}}}[{BASE}])"
    failed = f"rate({COUNT}{{{SERVER_ERROR}}}[{BASE}])"
    rules = [
        record(f"slo:valid:rate{BASE}", by_screen(everything), {"slo": "availability"}),
        # Without the second half, a screen that has never failed would have no series to compare with.
        record(f"slo:bad:rate{BASE}", f"{by_screen(failed)}\nor\n0 * {by_screen(everything)}", {"slo": "availability"}),
        record(f"slo:valid:rate{BASE}", by_screen(judged), {"slo": "latency"}),
    ]
    quick = "\nor\n".join(quick_enough(boundary) for boundary in sorted({screen.within for screen in screens if screen.within}))
    slow = f"clamp_min({by_screen(judged)} - on ({SCREEN}) (\n{indent(quick)}\n), 0)"
    return [*rules, record(f"slo:bad:rate{BASE}", slow, {"slo": "latency"})]


def quick_enough(boundary: float) -> str:
    """How many answers a second were there within the boundary, of the screens that have it in their objective."""
    quick = by_screen(f"rate({BUCKET}{{{le(boundary)}, {NO_SERVER_ERROR}}}[{BASE}])")
    return f"{quick}\n  and on ({SCREEN}) slo:latency:seconds == {boundary}"


def le(boundary: float) -> str:
    """A whole boundary is `1` as it is scraped, and `1.0` for a Prometheus from 3.0 on."""
    return f'le=~"{boundary}|{boundary}[.]0"' if boundary == int(boundary) else f'le="{boundary}"'


def by_screen(expression: str) -> str:
    return f"sum by ({SCREEN}) ({expression})"


def burn_rates() -> list[dict]:
    return [record(f"slo:burn:rate{window}", burn(window)) for window in WINDOWS]


def burn(window: str) -> str:
    """Means of what is recorded every half minute: raw counters over three days would be read in vain every time."""
    shares = f"avg_over_time(slo:bad:rate{BASE}[{window}]) / avg_over_time(slo:valid:rate{BASE}[{window}])"
    return f"{shares} / on ({SCREEN}, slo) (1 - slo:objective:ratio)"


TEXTS = {
    "availability": (
        "ScreenUnavailable",
        "{{ $labels.http_request_method }} {{ $labels.http_route }} of {{ $labels.job }} answers too often with a server error",
    ),
    "latency": (
        "ScreenSlow",
        "{{ $labels.http_request_method }} {{ $labels.http_route }} of {{ $labels.job }} answers too slowly too often",
    ),
}
DESCRIPTION = (
    "It uses up the error budget of 30 days {{ $value | humanize }} times as fast as it may. "
    "deploy/prometheus/slos.yaml has its objective."
)


def alerts() -> list[dict]:
    return [alert(kind, severity) for severity in BURNS for kind in TEXTS]


def alert(kind: str, severity: str) -> dict:
    name, summary = TEXTS[kind]
    pairs, enough = BURNS[severity]
    burning = "\nor\n".join(pair(kind, rate, long, short) for rate, long, short in pairs)
    bad = f'{INTERVAL_SECONDS} * sum_over_time(slo:bad:rate{BASE}{{slo="{kind}"}}[{enough}]) >= {MIN_BAD}'
    runbook = "docs/runbooks/" + {"availability": "screen-unavailable.md", "latency": "screen-slow.md"}[kind]
    return {
        "alert": name,
        "expr": f"(\n{indent(burning)}\n)\nand\n{bad}",
        "labels": {"severity": severity},
        "annotations": {"summary": summary, "description": DESCRIPTION, "runbook_url": runbook},
    }


def pair(kind: str, rate: float, long: str, short: str) -> str:
    return f'slo:burn:rate{long}{{slo="{kind}"}} > {rate} and slo:burn:rate{short}{{slo="{kind}"}} > {rate}'


def record(name: str, expression: str, labels: dict[str, str] | None = None) -> dict:
    return {"record": name, **({"labels": labels} if labels else {}), "expr": expression}


def group(name: str, seconds: int, rules: list[dict]) -> dict:
    return {"name": name, "interval": f"{seconds}s", "rules": rules}


def indent(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())


class Readable(yaml.SafeDumper):
    """Texts of several lines as they stand, and no anchors."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def literal(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


Readable.add_representer(str, literal)
