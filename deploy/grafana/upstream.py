"""One domain service, as the BFFs see it: what becomes of calls, and what protects it and us."""

from panels import board, graph, heat_map, number, render, row, rows, timeline, traces, variable, with_traces
from queries import quantile, rate

UID = "triptych-upstream"
CHOSEN = 'job=~"$service", triptych_upstream="$upstream"'
FAILING = 'triptych_outcome!~"ok|refused|cancelled"'
ATTEMPTS = "http_client_request_duration_seconds"
SPANS = 'resource.service.name=~"$service" && span.triptych.upstream="$upstream"'
OPERATION = "{{job}} {{triptych_operation}}"
BREAKER = {0: ("closed", "green"), 1: ("probing", "orange"), 2: ("open", "red")}


def dashboard() -> str:
    variables = [
        variable("upstream", "Domain service", "triptych_upstream_limit, triptych_upstream"),
        variable("service", "BFF", "triptych_upstream_limit, job", several=True),
    ]
    description = "Calls are what screens ask for; attempts are what leaves."
    return render(
        board(UID, "Triptych: one domain service", description, variables),
        [*calls(), *amplification(), *protection(), *contract(), *seen()],
    )


def calls() -> list:
    everything = rate("triptych_upstream_calls_total", "job", CHOSEN)
    failed = rate("triptych_upstream_calls_total", "job", CHOSEN, FAILING)
    by_outcome = rate("triptych_upstream_calls_total", "triptych_outcome", CHOSEN)
    by_operation = rate("triptych_upstream_calls_total", "job, triptych_operation, triptych_outcome", CHOSEN, FAILING)
    slow = quantile(0.95, ATTEMPTS, "job, triptych_operation", CHOSEN)
    errors = rate(f"{ATTEMPTS}_count", "http_response_status_code, error_type", CHOSEN, 'error_type!=""')
    return [
        row("Calls"),
        graph(
            "Calls by outcome",
            "reqps",
            "refused: a 4xx that the screen passes on. Everything else that is not ok costs a section or a screen.",
            [(by_outcome, "{{triptych_outcome}}")],
        ),
        graph(
            "Share that fails",
            "percentunit",
            "By BFF. From 10 % on there is a ticket.",
            [(f"{failed} / {everything}", "{{job}}")],
            limit=0.1,
        ),
        with_traces(
            graph("Failing calls", "reqps", "By operation and outcome.", [(by_operation, OPERATION + " {{triptych_outcome}}")]),
            "Traces of failing attempts",
            f"{{{SPANS} && status=error}}",
        ),
        with_traces(
            graph("How long attempts take, p95", "s", "By operation. A read is hedged from here on.", [(slow, OPERATION)]),
            "Traces of slow attempts",
            f"{{{SPANS} && duration>300ms}}",
        ),
        heat_map("How long attempts take", "All operations.", rate(f"{ATTEMPTS}_bucket", "le", CHOSEN)),
        graph(
            "Attempts that fail",
            "reqps",
            "By status and reason: what the service, or the way to it, does.",
            [(errors, "{{http_response_status_code}} {{error_type}}")],
        ),
    ]


def amplification() -> list:
    attempts = rate("triptych_upstream_attempts_total", "job", CHOSEN)
    calls = rate("triptych_upstream_calls_total", "job", CHOSEN)
    kinds = [(rate(f"triptych_upstream_{kind}_total", "job", CHOSEN), f"{{{{job}}}} {kind}") for kind in ("retries", "hedges")]
    saved = [(rate("triptych_upstream_coalesced_total", "job, triptych_operation", CHOSEN), OPERATION)]
    return [
        row("Second attempts"),
        graph(
            "Attempts for each call",
            "none",
            "At most 1.1 and one a second, whatever happens. Below 1: kept and shared answers.",
            [(f"{attempts} / {calls}", "{{job}}")],
            limit=1.1,
            width=6,
        ),
        graph("Second attempts", "reqps", "After a failure, and beside one that is slow.", kinds, width=6),
        graph(
            "Budget",
            "none",
            "Second attempts that could be made now, by replica. Zero for long: failures are handed on at once.",
            [(f"triptych_upstream_budget_remaining{{{CHOSEN}}}", "{{job}} {{instance}}")],
            width=6,
        ),
        graph("Calls that shared an answer", "reqps", "The same read at the same time is made once.", saved, width=6),
    ]


def protection() -> list:
    places = [
        (f"sum by (job) (triptych_upstream_{what}{{{CHOSEN}}})", f"{{{{job}}}} {name}")
        for what, name in (("limit", "limit"), ("in_flight", "in flight"), ("queued", "queued"))
    ]
    return [
        row("Breakers and limits"),
        timeline(
            "Breakers",
            "The worst replica, by operation. While one is open no call leaves but a probe every 1 to 1.5 s.",
            [(f"max by (job, triptych_operation) (triptych_upstream_breaker_state{{{CHOSEN}}})", OPERATION)],
            BREAKER,
        ),
        graph("Places", "none", "The limit follows the latency. Machines give way at 70 % of it, pages at 90 %.", places),
        graph(
            "Turned away",
            "reqps",
            "No place (shed), or the breaker was open.",
            [
                (rate("triptych_upstream_shed_total", "job", CHOSEN), "{{job}} shed"),
                (rate("triptych_upstream_breaker_refused_total", "job", CHOSEN), "{{job}} breaker open"),
            ],
        ),
        graph(
            "Given up",
            "reqps",
            "Attempts that were ended from outside: by a timeout, or because nobody waited any more.",
            [(rate("triptych_upstream_given_up_total", "job, triptych_operation", CHOSEN), OPERATION)],
        ),
    ]


def contract() -> list:
    new = f"increase(triptych_upstream_contract_violations_total{{{CHOSEN}}}[$__range])"
    reads = 'job=~"$service"'
    kept = rate("triptych_cache_requests_total", "", reads, 'triptych_cache!="miss"')
    return [
        row("The contract"),
        rows(
            "Violations in this time",
            "By the field of the answer: docs/runbooks/upstream-contract-violated.md.",
            f"sum by (job, triptych_operation, triptych_contract_path) ({new}) > 0",
            [],
        ),
        graph(
            "Violations",
            "reqps",
            "By operation.",
            [(rate("triptych_upstream_contract_violations_total", "job, triptych_operation", CHOSEN), OPERATION)],
            width=8,
        ),
        number(
            "Cache hits",
            "percentunit",
            "Of all reads of the chosen BFFs that may be kept, whatever the service.",
            [(f"{kept} / {rate('triptych_cache_requests_total', '', reads)}", "")],
            [],
        ),
    ]


def seen() -> list:
    return [
        row("Traces"),
        traces(
            "Failing attempts",
            "With what happened to each: retried, hedged, shed, contract violated.",
            f"{{{SPANS} && status=error}}",
        ),
        traces("Slow attempts", "Over 300 ms.", f"{{{SPANS} && duration>300ms}}"),
    ]
