"""One BFF: its routes, what becomes of their sections, and what it holds."""

from panels import board, graph, heat_map, number, ranking, render, row, rows, traces, variable, with_traces
from queries import quantile, rate

UID = "triptych-bff"
REQUESTS = "http_server_request_duration_seconds"
SECTIONS = "triptych_section_duration_seconds"
JOB = 'job="$service"'
ROUTE = f'{JOB}, http_route=~"$route"'
FAILED = 'http_response_status_code=~"5.."'
REFUSED = 'http_response_status_code=~"4.."'
LEFT = 'error_type="client_closed"'
NOT_OK = 'triptych_section_status!="ok"'
WHOLE = 'triptych_section_status=~"ok|not_found|forbidden"'
SPANS = 'resource.service.name="$service" && kind=server && span.http.route=~"$route"'
BY_ROUTE = "{{http_request_method}} {{http_route}}"


def dashboard() -> str:
    variables = [
        variable("service", "BFF", 'triptych_build_info{job=~".+-bff"}, job'),
        variable("route", "Route", f"{REQUESTS}_count{{{JOB}}}, http_route", several=True),
    ]
    description = "Routes first, then the sections behind them, then what the process holds. Points lead to traces."
    panels = [*routes(), *sections(), *callers(), *held(), *store_and_cache(), *seen()]
    return render(board(UID, "Triptych: one BFF", description, variables), panels)


def routes() -> list:
    screen = "http_request_method, http_route"
    by_route = rate(f"{REQUESTS}_count", screen, ROUTE)
    errors = rate(f"{REQUESTS}_count", f"{screen}, error_type", ROUTE, FAILED)
    refused = rate(f"{REQUESTS}_count", "http_route, http_response_status_code", ROUTE, REFUSED)
    left = rate(f"{REQUESTS}_count", screen, ROUTE, LEFT)
    return [
        row("Routes"),
        graph("Requests", "reqps", "By route.", [(by_route, BY_ROUTE)]),
        with_traces(
            graph(
                "Server errors",
                "reqps",
                "By route and type of problem: docs/problems.md.",
                [(errors, BY_ROUTE + " {{error_type}}")],
            ),
            "Traces of server errors",
            f"{{{SPANS} && status=error}}",
        ),
        with_traces(
            graph(
                "How long answers take, p99",
                "s",
                "By route. slos.yaml says how long each may take.",
                [(quantile(0.99, REQUESTS, screen, ROUTE), BY_ROUTE)],
            ),
            "Traces over 500 ms",
            f"{{{SPANS} && duration>500ms}}",
        ),
        heat_map(
            "How long answers take",
            "All chosen routes: two bands are two kinds of answers, such as with and without a kept one.",
            rate(f"{REQUESTS}_bucket", "le", ROUTE),
        ),
        graph("How long answers take, p50", "s", "By route.", [(quantile(0.5, REQUESTS, screen, ROUTE), BY_ROUTE)]),
        graph(
            "Refused",
            "reqps",
            "4xx by status: what clients do wrong, or what we think they do.",
            [(refused, "{{http_response_status_code}} {{http_route}}")],
        ),
        ranking(
            "Error budgets",
            "percentunit",
            "What is left of 30 days.",
            [(f"slo:budget_left:ratio{{{ROUTE}}}", BY_ROUTE + " ({{slo}})")],
            [(0, "orange"), (0.25, "green")],
            width=8,
        ),
        graph(
            "Budgets that burn",
            "none",
            "Times as fast as they may, over an hour. From 14.4 on somebody is woken.",
            [(f"slo:burn:rate1h{{{ROUTE}}}", BY_ROUTE + " ({{slo}})")],
            limit=14.4,
        ),
        graph(
            "Clients that left",
            "reqps",
            "Before there was an answer. Many of them mean that it took too long, or that the gateway gave up.",
            [(left, BY_ROUTE)],
        ),
    ]


def sections() -> list:
    section = "http_route, triptych_section"
    lost = rate(f"{SECTIONS}_count", f"{section}, triptych_section_status", ROUTE, NOT_OK)
    share = f"{rate(f'{SECTIONS}_count', section, ROUTE, WHOLE)} / {rate(f'{SECTIONS}_count', section, ROUTE)}"
    slow = quantile(0.95, SECTIONS, section, ROUTE)
    return [
        row("Sections: what a screen is made of"),
        graph(
            "Warnings",
            "reqps",
            "Sections that were lost or old, by the status that the client saw: docs/degradation.md.",
            [(lost, "{{http_route}} {{triptych_section}} {{triptych_section_status}}")],
        ),
        graph(
            "Whole sections",
            "percentunit",
            "The share of answers in which a section was what it should be.",
            [(share, "{{http_route}} {{triptych_section}}")],
            top=1,
        ),
        graph(
            "How long sections take, p95",
            "s",
            "The longest required one is the screen's time.",
            [(slow, "{{http_route}} {{triptych_section}}")],
        ),
    ]


def callers() -> list:
    return [
        row("Who is calling, and what happens once"),
        graph(
            "Credentials",
            "reqps",
            "By kind and outcome. Unavailable is ours: a provider or a store out of reach.",
            [
                (
                    rate("triptych_identity_credentials_total", "triptych_credential, triptych_outcome", JOB),
                    "{{triptych_credential}} {{triptych_outcome}}",
                )
            ],
            width=6,
        ),
        graph(
            "Sessions refreshed",
            "reqps",
            "failed: the provider does not answer; ended: it refused, and somebody is signed out.",
            [
                (
                    rate("triptych_identity_refreshes_total", "triptych_outcome", JOB),
                    "{{triptych_outcome}}",
                )
            ],
            width=6,
        ),
        graph(
            "Writes with a key",
            "reqps",
            "replayed: the first answer again. mismatch: a client that uses a key twice.",
            [
                (
                    rate("triptych_idempotency_requests_total", "triptych_outcome", JOB),
                    "{{triptych_outcome}}",
                )
            ],
            width=6,
        ),
        graph(
            "Over the plan",
            "reqps",
            "429 to partners, by plan.",
            [(rate("triptych_quota_refused_total", "triptych_plan", JOB), "{{triptych_plan}}")],
            width=6,
        ),
    ]


def held() -> list:
    return [
        row("What the process holds"),
        graph("Requests in flight", "none", "By replica.", [(f"http_server_active_requests{{{JOB}}}", "{{instance}}")], width=6),
        graph(
            "Connections",
            "none",
            "By replica, below the limit of server.max_connections.",
            [
                (f"triptych_server_connections{{{JOB}}}", "{{instance}}"),
                (f"min(triptych_server_connections_limit{{{JOB}}})", "limit"),
            ],
            width=6,
        ),
        graph(
            "Streams",
            "none",
            "Event streams that are open, by replica.",
            [(f"triptych_streams_open{{{JOB}}}", "{{instance}}")],
            width=6,
        ),
        graph(
            "File descriptors",
            "none",
            "By replica: connections in and out, and little else.",
            [(f"process_unix_file_descriptor_count{{{JOB}}}", "{{instance}}")],
            width=6,
        ),
        graph(
            "CPU",
            "none",
            "Cores, by replica.",
            [(f"rate(process_cpu_time_seconds_total{{{JOB}}}[$__rate_interval])", "{{instance}}")],
            width=6,
        ),
        graph(
            "Memory",
            "bytes",
            "By replica. In Kubernetes web-bff may take 512 MiB, the others 256 MiB.",
            [(f"process_memory_usage_bytes{{{JOB}}}", "{{instance}}")],
            width=6,
        ),
        graph(
            "Ready", "none", "1: ready. 0: starting or draining.", [(f"triptych_ready{{{JOB}}}", "{{instance}}")], width=6, top=1
        ),
        rows(
            "Release",
            "How many replicas run which version.",
            f"count by (service_version, vcs_ref_head_revision) (triptych_build_info{{{JOB}}})",
            [],
            width=6,
        ),
    ]


def store_and_cache() -> list:
    operations = quantile(0.99, "db_client_operation_duration_seconds", "db_operation_name", JOB)
    failures = rate("db_client_operation_duration_seconds_count", "db_operation_name, error_type", JOB, 'error_type!=""')
    hits = rate("triptych_cache_requests_total", "triptych_cache", JOB)
    size = [(f"triptych_cache_size_bytes{{{JOB}}}", "{{instance}}"), (f"max(triptych_cache_limit_bytes{{{JOB}}})", "limit")]
    return [
        row("Store and cache"),
        graph(
            "Store operations, p99", "s", "Given up after 250 ms.", [(operations, "{{db_operation_name}}")], limit=0.25, width=6
        ),
        graph("Store failures", "ops", "By operation and reason.", [(failures, "{{db_operation_name}} {{error_type}}")], width=6),
        graph(
            "Cache",
            "reqps",
            "hit: not asked; stale_while_revalidate: old, and renewed; stale_if_error: the service is down.",
            [(hits, "{{triptych_cache}}")],
            width=6,
        ),
        graph("Cache, size", "bytes", "By replica, below cache.max_bytes.", size, width=6),
        graph("Cache, answers kept", "none", "By replica.", [(f"triptych_cache_entries{{{JOB}}}", "{{instance}}")], width=6),
        graph(
            "Store in memory, size",
            "bytes",
            "By replica, below store.max_bytes. Nothing, with Redis.",
            [(f"triptych_store_size_bytes{{{JOB}}}", "{{instance}} {{triptych_store_keeps}}")],
            width=6,
        ),
        number(
            "Store",
            "none",
            "1: the last operation of every replica reached it.",
            [(f"min(triptych_store_up{{{JOB}}})", "")],
            [(1, "green")],
            width=6,
        ),
    ]


def seen() -> list:
    return [
        row("Traces"),
        traces("Errors", "Every request that fails is kept, whatever the sampling.", f"{{{SPANS} && status=error}}"),
        traces("Slow", "Every slow request is kept, whatever the sampling.", f"{{{SPANS} && duration>500ms}}"),
    ]
