"""The overview: what users feel, what comes close to a limit, and what runs."""

from panels import board, graph, number, ranking, render, row, rows
from queries import quantile, rate

UID = "triptych-overview"
REQUESTS = "http_server_request_duration_seconds"
EDGE = 'envoy_http_conn_manager_prefix="edge"'
BFFS = 'job=~".+-bff"'
FAILED = 'http_response_status_code=~"5.."'
LOST = 'triptych_section_status!~"ok|not_found|forbidden"'
LIMITED = 'envoy_local_http_ratelimit_prefix="edge"'
SCREEN = "{{job}} {{http_request_method}} {{http_route}} ({{slo}})"


def dashboard() -> str:
    return render(
        board(
            UID,
            "Triptych: overview",
            "Look here first. The top row says whether users feel anything; below is why they might soon.",
            [],
        ),
        [*users(), *services(), *saturation(), *gateway(), *releases()],
    )


def users() -> list:
    failed = rate(f"{REQUESTS}_count", "", BFFS, FAILED)
    everything = rate(f"{REQUESTS}_count", "", BFFS)
    return [
        row("What users feel"),
        number("Requests", "reqps", "Answered by all BFFs.", [(everything, "")], []),
        number(
            "Server errors",
            "percentunit",
            "5xx among all answers.",
            [(f"({failed} or 0 * {everything}) / {everything}", "")],
            [(0.001, "orange"), (0.01, "red")],
        ),
        number(
            "p99",
            "s",
            "All screens together. One screen is on its BFF's dashboard.",
            [(quantile(0.99, REQUESTS, "", BFFS), "")],
            [(1, "orange"), (2, "red")],
        ),
        number(
            "Pages",
            "none",
            "Alerts that fire and want somebody now.",
            [('count(ALERTS{alertstate="firing", severity="page"})', "")],
            [(1, "red")],
        ),
        number(
            "Tickets",
            "none",
            "Alerts that fire and can wait for the morning.",
            [('count(ALERTS{alertstate="firing", severity="ticket"})', "")],
            [(1, "orange")],
        ),
        number(
            "Breakers open",
            "none",
            "Operations of domain services that some replica leaves alone.",
            [("count(triptych_upstream_breaker_state > 0)", "")],
            [(1, "orange")],
        ),
        ranking(
            "Error budgets, the ten that are lowest",
            "percentunit",
            "What is left of 30 days. At zero an objective of slos.yaml is missed: release nothing but repairs.",
            [("bottomk(10, slo:budget_left:ratio)", SCREEN)],
            [(0, "orange"), (0.25, "green")],
        ),
        graph(
            "Budgets that burn",
            "none",
            "How many times as fast as they may, over an hour. From 14.4 on somebody is woken.",
            [("slo:burn:rate1h > 1", SCREEN)],
            width=12,
            limit=14.4,
        ),
        rows(
            "Alerts that fire",
            "The runbook of each is docs/runbooks; /alerts of Prometheus has the links.",
            'ALERTS{alertstate="firing"}',
            ["__name__", "alertstate", "Value"],
            width=24,
        ),
    ]


def services() -> list:
    by_job = rate(f"{REQUESTS}_count", "job", BFFS)
    failed = rate(f"{REQUESTS}_count", "job", BFFS, FAILED)
    times = [(quantile(q, REQUESTS, "job", BFFS), f"{{{{job}}}} p{name}") for q, name in ((0.5, 50), (0.99, 99))]
    lost = rate("triptych_section_duration_seconds_count", "job, triptych_section", LOST)
    return [
        row("Each service"),
        graph("Requests", "reqps", "By BFF.", [(by_job, "{{job}}")], width=6),
        graph("Share of server errors", "percentunit", "By BFF.", [(f"{failed} / {by_job}", "{{job}}")], width=6),
        graph("How long answers take", "s", "By BFF.", times, width=6),
        graph(
            "Sections lost",
            "reqps",
            "Screens that answered 200 without that section, or with an old one.",
            [(lost, "{{job}} {{triptych_section}}")],
            width=6,
        ),
    ]


def saturation() -> list:
    return [
        row("What comes close to a limit"),
        graph(
            "CPU",
            "none",
            "Cores used, by replica.",
            [(f"rate(process_cpu_time_seconds_total{{{BFFS}}}[$__rate_interval])", "{{job}} {{instance}}")],
            width=6,
        ),
        graph(
            "Memory",
            "bytes",
            "By replica. In Kubernetes web-bff may take 512 MiB, the others 256 MiB.",
            [(f"process_memory_usage_bytes{{{BFFS}}}", "{{job}} {{instance}}")],
            width=6,
        ),
        graph(
            "Requests in flight",
            "none",
            "By replica: what Kubernetes scales on, beside CPU.",
            [(f"http_server_active_requests{{{BFFS}}}", "{{job}} {{instance}}")],
            width=6,
        ),
        graph(
            "Connections",
            "percentunit",
            "Of server.max_connections, by replica.",
            [("triptych_server_connections / triptych_server_connections_limit", "{{job}} {{instance}}")],
            width=6,
            limit=0.8,
            top=1,
        ),
        graph(
            "Places at domain services",
            "percentunit",
            "Taken, of those that the limit allows now.",
            [
                (
                    "max by (job, triptych_upstream) (triptych_upstream_in_flight / triptych_upstream_limit)",
                    "{{job}} {{triptych_upstream}}",
                )
            ],
            width=6,
            limit=0.9,
            top=1,
        ),
        graph(
            "Calls turned away",
            "reqps",
            "No place at the domain service.",
            [
                (
                    rate("triptych_upstream_shed_total", "job, triptych_upstream"),
                    "{{job}} {{triptych_upstream}}",
                )
            ],
            width=6,
        ),
        graph(
            "The store",
            "none",
            "1: the last operation reached it. 0: signed-in requests and writes with a key answer 503.",
            [("min by (job, triptych_store_keeps) (triptych_store_up)", "{{job}} {{triptych_store_keeps}}")],
            width=6,
            top=1,
        ),
        graph(
            "Telemetry dropped",
            "cps",
            "What traces and logs are missing. Requests do not wait for them.",
            [
                (
                    rate("triptych_telemetry_dropped_total", "job, triptych_signal, error_type"),
                    "{{job}} {{triptych_signal}} {{error_type}}",
                )
            ],
            width=6,
        ),
    ]


def gateway() -> list:
    classes = rate("envoy_http_downstream_rq_xx", "envoy_response_code_class", EDGE)
    limited = rate("envoy_http_local_rate_limit_rate_limited", "instance", LIMITED)
    monitors = "envoy_overload_envoy_resource_monitors"
    pressure = [
        (f"{monitors}_fixed_heap_pressure / 100", "memory {{instance}}"),
        (f"{monitors}_global_downstream_max_connections_pressure / 100", "connections {{instance}}"),
    ]
    troubles = ("cx_connect_fail", "rq_timeout", "rq_pending_overflow")
    unreached = " + ".join(rate(f"envoy_cluster_upstream_{trouble}", "envoy_cluster_name") for trouble in troubles)
    return [
        row("The gateway"),
        graph(
            "Answers at the edge",
            "reqps",
            "By class of status: what the world sees.",
            [(classes, "{{envoy_response_code_class}}xx")],
            width=6,
        ),
        graph("Over a rate limit", "reqps", "Requests answered 429 by the gateway.", [(limited, "{{instance}}")], width=6),
        graph(
            "Pressure",
            "percentunit",
            "Memory and connections of what they may be. From 95 % of the memory on requests are refused.",
            pressure,
            width=6,
            limit=0.8,
            top=1,
        ),
        graph(
            "BFFs not reached",
            "reqps",
            "Connections that failed, requests out of time or without room.",
            [(unreached, "{{envoy_cluster_name}}")],
            width=6,
        ),
    ]


def releases() -> list:
    return [
        row("What runs"),
        rows(
            "Releases",
            "How many replicas run which version.",
            "count by (service_name, service_version, vcs_ref_head_revision) (triptych_build_info)",
            [],
        ),
        graph("Replicas that are ready", "none", "By BFF.", [(f"sum by (job) (triptych_ready{{{BFFS}}})", "{{job}}")], width=6),
        graph(
            "Time since the start",
            "s",
            "By replica: a line that falls is a restart.",
            [(f"process_uptime_seconds{{{BFFS}}}", "{{job}} {{instance}}")],
            width=6,
        ),
    ]
