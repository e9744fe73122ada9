"""One BFF: its routes, what becomes of their sections, and what it holds."""

from panels import board, graph, heat_map, number, ranking, render, row, rows, traces, variable, with_traces

UID = "triptych-bff"
REQUESTS = "http_server_request_duration_seconds"
SECTIONS = "triptych_section_duration_seconds"
JOB = 'job="$service"'
ROUTE = f'{JOB}, http_route=~"$route"'
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
    by_route = f"sum by (http_request_method, http_route) (rate({REQUESTS}_count{{{ROUTE}}}[$__rate_interval]))"
    errors = f'sum by (http_request_method, http_route, error_type) (rate({REQUESTS}_count{{{ROUTE}, http_response_status_code=~"5.."}}[$__rate_interval]))'
    refused = f'sum by (http_route, http_response_status_code) (rate({REQUESTS}_count{{{ROUTE}, http_response_status_code=~"4.."}}[$__rate_interval]))'
    left = f'sum by (http_request_method, http_route) (rate({REQUESTS}_count{{{ROUTE}, error_type="client_closed"}}[$__rate_interval]))'
    slow = f"histogram_quantile(0.99, sum by (http_request_method, http_route, le) (rate({REQUESTS}_bucket{{{ROUTE}}}[$__rate_interval])))"
    usual = f"histogram_quantile(0.5, sum by (http_request_method, http_route, le) (rate({REQUESTS}_bucket{{{ROUTE}}}[$__rate_interval])))"
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
            graph("How long answers take, p99", "s", "By route. slos.yaml says how long each may take.", [(slow, BY_ROUTE)]),
            "Traces over 500 ms",
            f"{{{SPANS} && duration>500ms}}",
        ),
        heat_map(
            "How long answers take",
            "All chosen routes: two bands are two kinds of answers, such as with and without a kept one.",
            f"sum by (le) (rate({REQUESTS}_bucket{{{ROUTE}}}[$__rate_interval]))",
        ),
        graph("How long answers take, p50", "s", "By route.", [(usual, BY_ROUTE)]),
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
    lost = f'sum by (http_route, triptych_section, triptych_section_status) (rate({SECTIONS}_count{{{ROUTE}, triptych_section_status!="ok"}}[$__rate_interval]))'
    share = f'sum by (http_route, triptych_section) (rate({SECTIONS}_count{{{ROUTE}, triptych_section_status=~"ok|not_found|forbidden"}}[$__rate_interval])) / sum by (http_route, triptych_section) (rate({SECTIONS}_count{{{ROUTE}}}[$__rate_interval]))'
    slow = f"histogram_quantile(0.95, sum by (http_route, triptych_section, le) (rate({SECTIONS}_bucket{{{ROUTE}}}[$__rate_interval])))"
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
                    f"sum by (triptych_credential, triptych_outcome) (rate(triptych_identity_credentials_total{{{JOB}}}[$__rate_interval]))",
                    "{{triptych_credential}} {{triptych_outcome}}",
                )
            ],
            width=6,
        ),
        graph(
            "Sessions refreshed",
            "reqps",
            "ok and lost_race are well; failed: the provider does not answer; ended: it refused, and somebody is signed out.",
            [
                (
                    f"sum by (triptych_outcome) (rate(triptych_identity_refreshes_total{{{JOB}}}[$__rate_interval]))",
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
                    f"sum by (triptych_outcome) (rate(triptych_idempotency_requests_total{{{JOB}}}[$__rate_interval]))",
                    "{{triptych_outcome}}",
                )
            ],
            width=6,
        ),
        graph(
            "Over the plan",
            "reqps",
            "429 to partners, by plan.",
            [(f"sum by (triptych_plan) (rate(triptych_quota_refused_total{{{JOB}}}[$__rate_interval]))", "{{triptych_plan}}")],
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
    operations = f"histogram_quantile(0.99, sum by (db_operation_name, le) (rate(db_client_operation_duration_seconds_bucket{{{JOB}}}[$__rate_interval])))"
    failures = f'sum by (db_operation_name, error_type) (rate(db_client_operation_duration_seconds_count{{{JOB}, error_type!=""}}[$__rate_interval]))'
    hits = f"sum by (triptych_cache) (rate(triptych_cache_requests_total{{{JOB}}}[$__rate_interval]))"
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
            "hit: not asked; stale_while_revalidate: answered old and renewed; stale_if_error: the service is down, and few notice.",
            [(hits, "{{triptych_cache}}")],
            width=6,
        ),
        graph("Cache, size", "bytes", "By replica, below cache.max_bytes.", size, width=6),
        graph("Cache, answers kept", "none", "By replica.", [(f"triptych_cache_entries{{{JOB}}}", "{{instance}}")], width=6),
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
