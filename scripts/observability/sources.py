"""What names metrics: rules, dashboards, runbooks, and what Kubernetes scales on. And the table that lists them all."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "deploy/prometheus/rules"
TESTS = ROOT / "deploy/prometheus/tests"
DASHBOARDS = ROOT / "deploy/grafana/dashboards"
RUNBOOKS = ROOT / "docs/runbooks"
TABLE = ROOT / "docs/observability.md"

# Of others: what of it is used is held against a running one by --live, or by nobody.
FOREIGN = ("envoy_", "otelcol_", "prometheus_")
# What Prometheus itself makes.
MADE_BY_PROMETHEUS = {"up", "ALERTS"}
OURS = ("triptych_", "http_server_", "http_client_", "db_client_", "process_")
HISTOGRAM = ("_bucket", "_sum", "_count")

METRIC_ROW = re.compile(r"^\| `([a-z_]+)` \| (\w+) \| ([^|]*) \|", re.MULTILINE)
IN_TEXT = re.compile(rf"\b(?:{'|'.join((*OURS, *FOREIGN))})[a-z0-9_]+|\bslo:[a-z0-9_:]+")
LABEL_VALUES = re.compile(r"label_values\((.*), *\w+\)")


@dataclass(frozen=True)
class Expression:
    """A piece of PromQL, and where it stands."""

    place: str
    text: str


@dataclass(frozen=True)
class Metric:
    """A metric of ours, as the table in docs/observability.md says it."""

    name: str
    kind: str
    labels: frozenset[str]

    def series(self) -> set[str]:
        return {self.name + suffix for suffix in HISTOGRAM} if self.kind == "histogram" else {self.name}


def table() -> dict[str, Metric]:
    rows = METRIC_ROW.findall(TABLE.read_text(encoding="utf-8"))
    return {name: Metric(name, kind, frozenset(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows}


def rules() -> list[tuple[str, dict]]:
    """(file, rule) of every rule."""
    found = []
    for path in sorted(RULES.glob("*.yaml")):
        groups = yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]
        found += [(path.name, rule) for group in groups for rule in group["rules"]]
    return found


def alerts() -> list[dict]:
    return [rule for _, rule in rules() if "alert" in rule]


def recorded() -> set[str]:
    return {rule["record"] for _, rule in rules() if "record" in rule}


def dashboards() -> dict[str, dict]:
    return {path.name: json.loads(path.read_text(encoding="utf-8")) for path in sorted(DASHBOARDS.glob("*.json"))}


def expressions() -> Iterator[Expression]:
    """All PromQL of rules and dashboards."""
    for file, rule in rules():
        yield Expression(f"{file}: {rule.get('alert') or rule['record']}", rule["expr"])
    yield from queries()


def queries() -> Iterator[Expression]:
    """The PromQL of dashboards, with Grafana's variables in it."""
    for file, board in dashboards().items():
        for panel in board["panels"]:
            for target in panel.get("targets", []):
                if "expr" in target:
                    yield Expression(f"{file}: {panel['title']}", target["expr"])
        for variable in board["templating"]["list"]:
            found = LABEL_VALUES.fullmatch(variable["query"])
            if found:
                yield Expression(f"{file}: ${variable['name']}", found[1])


def mentions() -> Iterator[tuple[str, str]]:
    """(place, word) for each word of the runbooks and of what Kubernetes scales on that looks like a metric of ours."""
    for path in [*RUNBOOKS.glob("*.md"), *ROOT.glob("k8s/**/*autoscaler*.yaml")]:
        for word in IN_TEXT.findall(path.read_text(encoding="utf-8")):
            yield str(path.relative_to(ROOT)), word
