"""Whether what is named exists: offline against the table, live against what running programs export."""

import re
import urllib.request
from collections.abc import Iterable, Iterator

from observability import promql, sources
from observability.sources import FOREIGN, MADE_BY_PROMETHEUS, OURS

# There are series of these only when something has happened or is so, which a healthy system need not show.
ONLY_WHEN = {
    "triptych_quota_refused_total": "a partner was over its plan",
    "triptych_telemetry_dropped_total": "a span or a line was dropped",
    "triptych_upstream_contract_violations_total": "an answer was unusable",
    "triptych_identity_refreshes_total": "an access token was over",
    "triptych_idempotency_requests_total": "somebody wrote with a key",
    "triptych_store_entries": "the store is in memory",
    "triptych_store_size_bytes": "the store is in memory",
    "triptych_store_limit_bytes": "the store is in memory",
}
# A label that only failures have.
SOMETIMES = {"error_type"}
SERIES = re.compile(r"^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? ", re.MULTILINE)
EXPORTED_LABEL = re.compile(r'([a-zA-Z_]\w*)="(?:[^"\\]|\\.)*"')

Exported = dict[str, set[str]]


def offline() -> Iterator[str]:
    """What is named and stands in no table."""
    known = {series: metric for metric in sources.table().values() for series in metric.series()}
    recorded = sources.recorded()
    for expression in sources.expressions():
        for name in sorted(promql.metrics(expression.text)):
            if name not in known and name not in recorded | MADE_BY_PROMETHEUS and not name.startswith(FOREIGN):
                yield f"{expression.place}: {name} is not in the table of docs/observability.md"
        for name, label in sorted(promql.choices(expression.text)):
            if name in known and label not in known[name].labels | {"job", "instance", "le"}:
                yield f"{expression.place}: {name} has no label {label} in the table of docs/observability.md"
    labels = {label for metric in known.values() for label in metric.labels}
    words = set(known) | {metric.name for metric in known.values()} | recorded | labels
    for place, word in sources.mentions():
        if word not in words and not word.startswith(FOREIGN):
            yield f"{place}: {word} is neither a metric nor a label of the table in docs/observability.md"


def live(urls: Iterable[str]) -> Iterator[str]:
    """What is named and not exported, and what is exported and not in the table."""
    pages = [read(url) for url in urls]
    exported: Exported = {}
    for page in pages:
        for name, labels in page.items():
            exported.setdefault(name, set()).update(labels)
    if any(name.startswith(OURS[0]) for name in exported):
        yield from of_services(exported)
    if any(name.startswith(FOREIGN[0]) for name in exported):
        yield from of_the_gateway(exported)


def of_services(exported: Exported) -> Iterator[str]:
    known = sources.table()
    series = {name for metric in known.values() for name in metric.series()}
    for metric in known.values():
        if metric.name in ONLY_WHEN and metric.name not in exported:
            continue
        for name in sorted(metric.series() - set(exported)):
            yield f"{name} is in the table of docs/observability.md, and not exported"
        seen = set().union(*(exported.get(name, set()) for name in metric.series()))
        if seen:
            for label in sorted(metric.labels - seen - SOMETIMES):
                yield f"{metric.name} is exported without its label {label}"
    for name in sorted(set(exported) - series):
        if name.startswith(OURS):
            yield f"{name} is exported, and not in the table of docs/observability.md"


def of_the_gateway(exported: Exported) -> Iterator[str]:
    named = {(name, expression.place) for expression in sources.expressions() for name in promql.metrics(expression.text)}
    labels = set().union(*exported.values())
    named |= {(word, place) for place, word in sources.mentions() if word not in labels}
    for name, place in sorted(named):
        if name.startswith(FOREIGN[0]) and name not in exported:
            yield f"{place}: {name} is not exported by this gateway"
    for expression in sources.expressions():
        for name, label in sorted(promql.choices(expression.text)):
            if name.startswith(FOREIGN[0]) and label not in exported.get(name, {label}):
                yield f"{expression.place}: {name} has no label {label}"


def read(url: str) -> Exported:
    """{name: labels} of a page in Prometheus's text format."""
    with urllib.request.urlopen(url, timeout=10) as answer:
        text = answer.read().decode()
    found: Exported = {}
    for name, labels in SERIES.findall(text):
        found.setdefault(name, set()).update(EXPORTED_LABEL.findall(labels))
    return found
