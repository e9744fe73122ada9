//! Which path leads where.

use end_to_end::{System, assert_problem};

pub(super) async fn a_path_reaches_one_place(system: &System) {
    let client = system.visitor();
    for (path, outcome, member) in [
        // The prefix is a whole segment, and ends where the BFF's own paths begin.
        ("/web", "404 not-found", "requestId"),
        ("/webdashboard", "404 not-found", "requestId"),
        ("/web-bff/dashboard", "404 not-found", "requestId"),
        ("/WEB/dashboard", "404 not-found", "requestId"),
        ("/dashboard", "404 not-found", "requestId"),
        ("/web/", "404 not-found", "requestId"),
        ("/partner/", "404 not-found", "request_id"),
        ("/web/dashboard", "401 unauthenticated", "requestId"),
        ("/web/web/dashboard", "404 not-found", "requestId"),
        // One spelling for each path.
        ("/web//dashboard", "401 unauthenticated", "requestId"),
        ("//web/dashboard", "401 unauthenticated", "requestId"),
        ("/web/./dashboard", "401 unauthenticated", "requestId"),
        ("/web/../partner/v1/usage", "401 unauthenticated", "request_id"),
        ("/web/orders/../../partner/v1/usage", "401 unauthenticated", "request_id"),
        ("/web/%2e%2e/partner/v1/usage", "401 unauthenticated", "request_id"),
        ("/web/../admin", "404 not-found", "requestId"),
        ("/web/..;/partner/v1/usage", "401 unauthenticated", "request_id"),
        ("/web/dashboard;a=b", "404 not-found", "requestId"),
        ("/web/dashboard%3Fa", "404 not-found", "requestId"),
        ("/web/%2564ashboard", "404 not-found", "requestId"),
        // No id has a slash in it, so an escaped one only ever tries to climb.
        ("/web/orders/%2e%2e%2fdashboard", "400 invalid-request", "requestId"),
        ("/web/orders%2fo_1", "400 invalid-request", "requestId"),
        ("/web/orders/..%5cdashboard", "400 invalid-request", "requestId"),
        ("/partner/v1%2Fusage", "400 invalid-request", "request_id"),
        // What a BFF has on its other port.
        ("/web/livez", "404 not-found", "requestId"),
        ("/web/readyz", "404 not-found", "requestId"),
        ("/web/config", "404 not-found", "requestId"),
        ("/web/metrics", "404 not-found", "requestId"),
    ] {
        let answer = client.get(path).await;
        assert_eq!(answer.outcome(), outcome, "{path}");
        let problem = assert_problem(&answer);
        assert!(problem.get(member).is_some(), "{path}: {problem}");
        assert!(!answer.headers.contains_key("server"), "{path}");
    }
}
