"""A real Prometheus, for some seconds: it reads our configuration, scrapes a page with every metric, evaluates every rule
and answers every query of the dashboards."""

import functools
import http.server
import json
import re
import socket
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import yaml

from demo.processes import Failure, Processes
from observability import promql, sources
from observability.sources import ROOT

CONFIG = ROOT / "deploy/prometheus/prometheus.yml"
PATIENCE_SECONDS = 40
VARIABLE = re.compile(r"\$(\w+)")
CHOSEN = {"service": "web-bff", "route": "/dashboard", "upstream": "a"}
# Of the two series of each metric: screens that have an objective, so that the rules meet it.
VALUES = {"http_request_method": ("GET", "POST"), "http_route": ("/dashboard", "/orders")}


@functools.cache
def promtool() -> str:
    found = subprocess.run([ROOT / "scripts/promtool"], stdout=subprocess.PIPE, text=True, check=False)
    if found.returncode != 0:
        raise Failure("there is no promtool, for the reason above")
    return found.stdout.strip()


def evaluates() -> Iterator[str]:
    """Rules that fail on series, and jobs that are not scraped: what a parser does not see, such as joins of many to many."""
    with Page() as page, tempfile.TemporaryDirectory() as folder, Processes(Path(folder) / "logs") as processes:
        config = Path(folder) / "prometheus.yml"
        config.write_text(yaml.safe_dump(rewritten(page.address, Path(folder))), encoding="utf-8")
        address = nobody()
        command = [Path(promtool()).with_name("prometheus"), f"--config.file={config}", f"--web.listen-address={address}"]
        processes.start("prometheus", [*map(str, command), f"--storage.tsdb.path={folder}/data"])
        try:
            wait_for(lambda: scraped(address))
            # The first one after that may have begun before it.
            for _ in range(2):
                wait_for_evaluations(address)
        except TimeoutError:
            yield f"Prometheus did not begin: {processes.log('prometheus').read_text(encoding='utf-8')[-2000:]}"
            return
        yield from unscraped(address)
        yield from failing_rules(address)
        yield from failing_queries(address)


def rewritten(address: str, folder: Path) -> dict:
    """Our configuration, with all targets replaced by one page and every interval by a second."""
    config = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))
    config["global"] = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
    for path in [path for pattern in config["rule_files"] for path in CONFIG.parent.glob(pattern)]:
        groups = yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]
        for group in groups:
            group.pop("interval", None)
        (folder / path.name).write_text(yaml.safe_dump({"groups": groups}), encoding="utf-8")
    config["rule_files"] = [f"{folder}/*.yaml"]
    for job in config["scrape_configs"]:
        job.pop("dns_sd_configs", None)
        # Two replicas: what joins without saying of which is not found with one.
        job["static_configs"] = [{"targets": [address, address.replace("127.0.0.1", "localhost")]}]
    return config


def unscraped(address: str) -> Iterator[str]:
    for target in ask(address, "targets")["activeTargets"]:
        if target["health"] != "up":
            yield f"job {target['labels']['job']}: {target['lastError']}"


def failing_rules(address: str) -> Iterator[str]:
    for group in ask(address, "rules")["groups"]:
        for rule in group["rules"]:
            if rule["health"] != "ok":
                yield f"{group['name']}: {rule['name']}: {rule.get('lastError', 'it was not evaluated')}"


def failing_queries(address: str) -> Iterator[str]:
    for expression in sources.queries():
        query = urllib.parse.urlencode({"query": without_variables(expression.text)})
        try:
            ask(address, f"query?{query}")
        except urllib.error.HTTPError as error:
            yield f"{expression.place}: {json.load(error)['error']}"


def without_variables(query: str) -> str:
    """A query of a dashboard, with what could stand for each variable of Grafana."""
    return VARIABLE.sub(lambda found: CHOSEN.get(found[1], "5m"), query)


def scraped(address: str) -> bool:
    """Every target was tried. Prometheus takes some seconds to know of any."""
    targets = ask(address, "targets")["activeTargets"]
    return bool(targets) and all(target["health"] != "unknown" for target in targets)


def wait_for_evaluations(address: str) -> None:
    before = evaluations(address)
    wait_for(lambda: all(now != then for now, then in zip(evaluations(address), before)))


def evaluations(address: str) -> list[str]:
    """When each rule was evaluated last."""
    return [rule["lastEvaluation"] for group in ask(address, "rules")["groups"] for rule in group["rules"]]


def ask(address: str, what: str) -> dict:
    with urllib.request.urlopen(f"http://{address}/api/v1/{what}", timeout=5) as answer:
        return json.load(answer)["data"]


class Page:
    """Every metric that rules and dashboards name, as one page, two series each. A context."""

    def __init__(self):
        page = "".join(series(name) for name in sorted(named())).encode()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("content-type", "text/plain; version=0.0.4")
                self.end_headers()
                self.wfile.write(page)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def named() -> set[str]:
    ours = {series for metric in sources.table().values() for series in metric.series()}
    used = {name for expression in sources.expressions() for name in promql.metrics(expression.text)}
    return ours | {name for name in used if name.startswith(sources.FOREIGN)}


def series(name: str) -> str:
    """Two series that differ in every label; one, if there is none."""
    table = sources.table()
    metric = table.get(name) or table.get(name.rsplit("_", 1)[0])
    labels = sorted(metric.labels) if metric else ["envoy_cluster_name"]
    lines = []
    for index, value in enumerate("ab" if labels else "a"):
        text = ",".join(f'{label}="{VALUES.get(label, (value, value))[index]}"' for label in labels)
        if name.endswith("_bucket"):
            lines += [f'{name}{{{text},le="{bound}"}} 1\n' for bound in ("0.25", "0.5", "0.75", "1", "2.5", "+Inf")]
        else:
            lines.append(f"{name}{{{text}}} 1\n")
    return "".join(lines)


def nobody() -> str:
    """An address at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def wait_for(condition) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        try:
            if condition():
                return
        except OSError:
            pass
        time.sleep(0.2)
    raise TimeoutError
