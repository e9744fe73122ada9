//! One request, one trace: from the gateway through a BFF and its calls to the services.

use end_to_end::{Collector, Exported, Kind, System};
use serde_json::json;

const SERVER: i32 = 2;
const CLIENT: i32 = 3;
const FAILED: i32 = 2;

/// However busy the machine is, nothing is exported for its slowness.
const SLOW_IS_FINE: &[(&str, &str)] = &[("BFF__TELEMETRY__SLOW", "10m")];

fn one<'a>(spans: &'a [Exported], what: &str, is_it: impl Fn(&Exported) -> bool) -> &'a Exported {
    let mut found = spans.iter().filter(|span| is_it(span));
    let first = found.next().unwrap_or_else(|| panic!("there is no span that is {what}"));
    assert!(found.next().is_none(), "there are several spans that are {what}");
    first
}

fn is_server(span: &Exported, service: &str, name: &str) -> bool {
    span.service == service && span.span.kind == SERVER && span.span.name == name
}

/// The spans of the trace that has this span of web-bff in it, once the gateway and the shop have told theirs.
async fn trace_of(collector: &Collector, name: &str) -> Vec<Exported> {
    let in_trace = |spans: &[Exported]| {
        let root = spans.iter().find(|span| is_server(span, "web-bff", name)).cloned();
        let of = |root: Exported| spans.iter().filter(move |span| span.span.trace_id == root.span.trace_id);
        root.map(|root| of(root).cloned().collect::<Vec<_>>()).unwrap_or_default()
    };
    let whole = |spans: &[Exported]| {
        let trace = in_trace(spans);
        let by = |service: &str| trace.iter().filter(|span| span.service == service).count();
        let calls = trace.iter().filter(|span| span.service == "web-bff" && span.span.kind == CLIENT).count();
        by("gateway") > 0 && calls > 0 && by("demo-shop") >= calls
    };
    in_trace(&collector.spans(whole).await)
}

#[tokio::test]
async fn a_dashboard_is_one_trace_from_the_gateway_to_the_services() {
    let collector = Collector::start().await;
    let system = System::traced(&collector, "parentbased_always_on", "100", &[]).await;
    let foreign = "4bf92f3577b34da6a3ce929d0e0e4736";
    let web = system.edge(Kind::Web).of(system.credential(Kind::Web));
    let web = web
        .with("traceparent", &format!("00-{foreign}-00f067aa0ba902b7-01"))
        .with("tracestate", "vendor=1")
        .with("baggage", "user=somebody");
    let answer = web.get("/dashboard").await;
    assert_eq!(answer.status, 200);

    let trace = trace_of(&collector, "GET /dashboard").await;
    let edge = one(&trace, "the gateway's", |span| span.service == "gateway" && span.span.kind == SERVER);
    assert!(edge.span.parent_span_id.is_empty(), "a foreign trace is not continued");
    assert!(collector.now().iter().all(|span| hex(&span.span.trace_id) != foreign));

    let server = one(&trace, "web-bff's own", |span| is_server(span, "web-bff", "GET /dashboard"));
    let behind_edge = |span: &Exported| {
        // The gateway has a span for the call to a BFF, too.
        span.is_child_of(edge) || trace.iter().any(|call| span.is_child_of(call) && call.is_child_of(edge))
    };
    assert!(behind_edge(server));
    for (key, value) in [
        ("http.request.method", "GET"),
        ("http.route", "/dashboard"),
        ("http.response.status_code", "200"),
        ("triptych.request_id", answer.header("x-request-id")),
        ("triptych.sampled", "head"),
    ] {
        assert_eq!(server.attribute(key), value, "{key}");
    }

    for section in ["user", "accountSummary", "unreadNotifications", "orders", "promos"] {
        let name = format!("section {section}");
        let span = one(&trace, &name, |span| span.service == "web-bff" && span.span.name == name);
        assert!(span.is_child_of(server) && span.is_within(server), "{section}");
        assert_eq!(
            (span.attribute("triptych.section"), span.attribute("triptych.section.status")),
            (section.to_owned(), "ok".to_owned())
        );
    }

    let calls: Vec<_> =
        trace.iter().filter(|span| span.service == "web-bff" && span.span.kind == CLIENT).collect();
    let upstreams: Vec<_> = calls.iter().map(|call| call.attribute("triptych.upstream")).collect();
    for upstream in ["users", "orders", "catalog", "notifications", "billing", "usage"] {
        assert!(upstreams.iter().any(|name| name == upstream), "{upstream} is not among {upstreams:?}");
    }
    for call in calls {
        let name = &call.span.name;
        assert!(trace.iter().any(|parent| call.is_child_of(parent) && call.is_within(parent)), "{name}");
        assert_eq!(call.attribute("http.response.status_code"), "200", "{name}");
        let answered = one(&trace, name, |span| span.service == "demo-shop" && span.is_child_of(call));
        assert_eq!(answered.span.kind, SERVER);
    }

    assert!(trace.iter().all(|span| span.span.name.trim_end() == span.span.name));

    let everything = format!("{:?}", collector.now());
    for secret in ["u_42", "Lovelace", "vendor=1", "user=somebody", "Bearer"] {
        assert!(!everything.contains(secret), "{secret} is in a span");
    }
}

#[tokio::test]
async fn what_fails_is_seen_though_nothing_is_sampled() {
    let collector = Collector::start().await;
    let system = System::traced(&collector, "parentbased_always_off", "0", SLOW_IS_FINE).await;
    let web = system.edge(Kind::Web).of(system.credential(Kind::Web));
    assert_eq!(web.get("/products").await.status, 200);
    system.shop.strike("users", &json!([{"path": "*", "mode": "error", "status": 500}])).await;
    let answer = web.get("/dashboard").await;
    assert_eq!(answer.outcome(), "503 unavailable");

    let failed = |spans: &[Exported]| spans.iter().any(|span| is_server(span, "web-bff", "GET /dashboard"));
    let spans = collector.spans(failed).await;
    let server = one(&spans, "web-bff's own", |span| is_server(span, "web-bff", "GET /dashboard"));
    assert_eq!(server.attribute("triptych.sampled"), "error");
    assert_eq!(server.attribute("triptych.request_id"), answer.header("x-request-id"));
    assert_eq!(server.span.status.as_ref().map(|status| status.code), Some(FAILED));
    let attempts: Vec<_> =
        spans.iter().filter(|span| span.attribute("triptych.upstream") == "users").collect();
    assert!(!attempts.is_empty());
    assert!(attempts.iter().all(|attempt| attempt.span.status.as_ref().is_some_and(|it| it.code == FAILED)));
    let well = |span: &Exported| is_server(span, "web-bff", "GET /products");
    assert!(!spans.iter().any(well), "what is well is not exported");
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}
