//! Who is calling, and which request it is, is said by the gateway and the BFF and by nobody else.

use end_to_end::{ACME_KEY, Kind, System};
use serde_json::Value;

const FOREIGN_TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// Headers with which somebody would like to be somebody else.
const FORGED: &[(&str, &str)] = &[
    ("x-user-id", "u_1"),
    ("x-remote-user", "u_1"),
    ("x-forwarded-user", "u_1"),
    ("x-auth-request-user", "u_1"),
    ("x-request-id", "chosen-by-the-client"),
    ("x-request-priority", "checkout"),
    ("x-request-deadline-ms", "999999"),
    ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
    ("tracestate", "evil=1"),
    ("baggage", "user=u_1"),
    ("x-envoy-retry-on", "5xx"),
    ("x-envoy-upstream-rq-timeout-ms", "1"),
    ("x-envoy-original-path", "/partner/v1/orders"),
    ("x-forwarded-for", "10.0.0.1"),
    ("connection", "x-user-id, x-request-id"),
];

pub(super) async fn what_comes_from_outside_reaches_no_domain_service(system: &System) {
    for (kind, path, calls) in [
        (
            Kind::Web,
            "/dashboard",
            &[
                ("users", "GET /users/{id}", Some("u_42")),
                ("orders", "GET /orders", Some("u_42")),
                ("billing", "GET /accounts/{userId}/billing", Some("u_42")),
                ("usage", "GET /accounts/{userId}/usage", Some("u_42")),
                ("notifications", "GET /notifications", Some("u_42")),
                ("catalog", "GET /products", None),
                ("catalog", "GET /promos", None),
            ] as &[_],
        ),
        (
            Kind::Mobile,
            "/home",
            &[
                ("users", "GET /users/{id}", Some("u_42")),
                ("orders", "GET /orders", Some("u_42")),
                ("notifications", "GET /notifications", Some("u_42")),
                ("catalog", "GET /promos", None),
            ],
        ),
        (Kind::Partner, "/v1/orders", &[("orders", "GET /orders", Some("acct_acme"))]),
        (Kind::Partner, "/v1/products", &[("catalog", "GET /products", None)]),
    ] {
        let forging = FORGED.iter().fold(system.frontend(kind), |it, (name, value)| it.with(name, value));
        let answer = forging.get(path).await;
        assert_eq!(answer.outcome(), "200", "{path}");
        let id = answer.header("x-request-id");
        assert_ne!(id, "chosen-by-the-client");
        for (service, route, user) in calls {
            let seen = system.shop.last(service, route).await;
            assert_seen(&seen, id, *user, &format!("{service} {route} of {} {path}", kind.name()));
        }
    }
}

/// What a domain service may see of a request with this id on behalf of this user.
fn assert_seen(seen: &Value, id: &str, user: Option<&str>, what: &str) {
    let headers = &seen["headers"];
    let header = |name: &str| headers[name].as_str();
    assert_eq!(header("x-user-id"), user, "{what}");
    assert_eq!(header("x-request-id"), Some(id), "{what}");
    assert_eq!(header("authorization"), Some("Bearer"), "{what}");
    assert!(matches!(header("x-request-priority"), Some("page" | "batch")), "{what}: {headers}");
    let left: u64 = header("x-request-deadline-ms").and_then(|left| left.parse().ok()).expect("what is left");
    assert!((1..=10_000).contains(&left), "{what}: {left}");
    let trace = header("traceparent").expect("a trace");
    assert!(!trace.contains(FOREIGN_TRACE), "{what}: {trace}");
    let ours = ["x-user-id", "x-request-id", "x-request-priority", "x-request-deadline-ms", "traceparent"];
    for (name, value) in headers.as_object().expect("headers") {
        let forged = FORGED.iter().find(|(forged, _)| forged == name && !ours.contains(forged));
        assert!(forged.is_none(), "{what}: {name}: {value} came through");
        assert!(!value.as_str().unwrap_or_default().contains("evil"), "{what}: {name}: {value}");
    }
}

/// A client that finds its way around the gateway is still not who it says it is.
pub(super) async fn a_bff_does_not_leave_it_to_the_gateway(system: &System) {
    let client = system.bff(Kind::Partner).client().with("x-api-key", ACME_KEY).with("x-user-id", "u_1");
    let answer = client.get("/v1/orders").await;
    assert_eq!(answer.outcome(), "200");
    let seen = system.shop.last("orders", "GET /orders").await;
    assert_eq!(seen["headers"]["x-user-id"], "acct_acme");
    assert!(seen["path"].as_str().is_some_and(|path| path.contains("userId=acct_acme")), "{seen}");
}
