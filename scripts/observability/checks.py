"""The checks of scripts/alerts. Each is a function that yields one line for each thing that is wrong."""

import concurrent.futures
import importlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import unittest
from collections.abc import Callable, Iterator
from pathlib import Path

import slos
from observability import names, server, sources
from observability.sources import ROOT, RULES, RUNBOOKS, TESTS

CONFIG = ROOT / "deploy/prometheus/prometheus.yml"
BOARDS = ("overview", "bff", "upstream")
BFFS = ("web-bff", "mobile-bff", "partner-bff")
SEVERITIES = {"page", "ticket"}

Check = Callable[[], Iterator[str]]


def everything(binaries: Path | None) -> int:
    """Runs every check, says what is wrong, and returns an exit code."""
    found: list[tuple[str, Check]] = [
        ("the checks check", own_tests),
        ("rendered files are up to date", rendered),
        ("alerts have a severity, a runbook and a test", complete),
        ("metrics and labels are in the table", names.offline),
        ("Prometheus takes the configuration", accepted),
        ("alerts fire and do not fire", tested),
        ("dashboards parse", dashboards_parse),
        ("Prometheus evaluates everything", server.evaluates),
    ]
    if binaries:
        found.append(("every route has an objective, or none on purpose", lambda: routes(binaries)))
    return report(found)


def live(urls: list[str]) -> int:
    return report([("what is named is exported", lambda: names.live(urls))])


def report(checks: list[tuple[str, Check]]) -> int:
    wrong = 0
    for title, check in checks:
        started = time.monotonic()
        lines = list(check())
        wrong += len(lines)
        print(f"{time.monotonic() - started:6.1f} s  {'✗' if lines else '✓'} {title}", flush=True)
        for line in lines:
            print(f"          {line}", file=sys.stderr)
    return 1 if wrong else 0


def write() -> None:
    for path, text in renderings():
        path.write_text(text, encoding="utf-8")


def rendered() -> Iterator[str]:
    for path, text in renderings():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            yield f"{path.relative_to(ROOT)} is not what its source says: scripts/alerts --write"


def renderings() -> Iterator[tuple[Path, str]]:
    yield slos.RENDERED, slos.render(slos.read())
    if sys.version_info < (3, 11):
        print("Skipped: the dashboards are not rendered again, as Grafana's builders need Python 3.11.")
        return
    for board in BOARDS:
        yield sources.DASHBOARDS / f"{board}.json", importlib.import_module(board).dashboard()


def own_tests() -> Iterator[str]:
    modules = [f"observability.{path.stem}" for path in Path(__file__).parent.glob("test_*.py")]
    suite = unittest.defaultTestLoader.loadTestsFromNames(modules)
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        result = unittest.TextTestRunner(stream=nowhere).run(suite)
    for _, trace in [*result.failures, *result.errors]:
        yield from trace.rstrip().splitlines()
    if result.testsRun == 0:
        yield "no test was found"


def complete() -> Iterator[str]:
    tests = "".join(path.read_text(encoding="utf-8") for path in TESTS.glob("*.yaml"))
    used = set()
    for alert in sources.alerts():
        name, annotations = alert["alert"], alert["annotations"]
        used.add(annotations["runbook_url"])
        if alert["labels"].get("severity") not in SEVERITIES:
            yield f"{name}: its severity is none of {', '.join(sorted(SEVERITIES))}"
        if set(annotations) != {"summary", "description", "runbook_url"}:
            yield f"{name}: it needs a summary, a description and a runbook_url, and nothing else"
        runbook = ROOT / annotations["runbook_url"]
        if not runbook.exists():
            yield f"{name}: there is no {annotations['runbook_url']}"
        elif f"`{name}`" not in runbook.read_text(encoding="utf-8"):
            yield f"{name}: {annotations['runbook_url']} does not name it"
        if not re.search(rf"\b{name}\b", tests):
            yield f"{name}: no test of deploy/prometheus/tests names it"
    for path in RUNBOOKS.glob("*.md"):
        if str(path.relative_to(ROOT)) not in used:
            yield f"{path.relative_to(ROOT)}: no alert leads to it"


def accepted() -> Iterator[str]:
    yield from promtool("check", "config", CONFIG)


def tested() -> Iterator[str]:
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        for lines in pool.map(lambda test: list(promtool("test", "rules", test)), sorted(TESTS.glob("*.yaml"))):
            yield from lines


def dashboards_parse() -> Iterator[str]:
    """Each query as a rule, since promtool knows how to check those."""
    queries = list(sources.queries())
    rules = [{"record": f"query:{index}", "expr": server.without_variables(query.text)} for index, query in enumerate(queries)]
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        json.dump({"groups": [{"name": "queries", "rules": rules}]}, file)
        file.flush()
        for line in promtool("check", "rules", file.name):
            place = re.search(r'rule (\d+), "query', line)
            yield f"{queries[int(place[1]) - 1].place}: {line}" if place else line


def routes(binaries: Path) -> Iterator[str]:
    owed = {(screen.service, screen.method, screen.route) for screen in slos.read()}
    served = {(bff, *route) for bff in BFFS for route in served_by(binaries / bff)}
    for route in sorted(served - owed):
        yield f"{' '.join(route)} has no objective in slos.yaml, and is not listed there as without"
    for route in sorted(owed - served):
        yield f"{' '.join(route)} is in slos.yaml, and not served"


def served_by(program: Path) -> Iterator[tuple[str, str]]:
    document = json.loads(subprocess.run([program, "openapi"], check=True, capture_output=True, text=True).stdout)
    for route, item in document["paths"].items():
        for method in item.keys() & {"get", "post", "put", "patch", "delete"}:
            yield method.upper(), route


def promtool(*arguments: str | Path) -> Iterator[str]:
    """The lines with which promtool refuses."""
    done = subprocess.run([server.promtool(), *map(str, arguments)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        yield from filter(str.strip, (done.stdout + done.stderr).splitlines())


def copy_rules(folder: Path, runbooks: str) -> None:
    """The rules for somewhere else, where each alert links to its runbook under that URL."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in RULES.glob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        linked = text.replace("runbook_url: docs/runbooks/", f"runbook_url: {runbooks.rstrip('/')}/")
        (folder / path.name).write_text(linked, encoding="utf-8")
