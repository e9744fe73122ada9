//! What becomes of each route when the service behind it fails.

use serde_json::json;
use test_support::Reply;

use crate::{Bff, ask, body, routes};

#[tokio::test]
async fn every_route_under_every_fault() {
    let html = || vec![("content-type", "text/html".to_owned())];
    let busy = || vec![("retry-after", "7".to_owned())];
    let faults = [
        ("hanging", Reply::Hang, "504 deadline-exceeded"),
        ("stalled", Reply::Stall, "504 deadline-exceeded"),
        ("reset", Reply::Reset, "503 unavailable 1"),
        ("truncated", Reply::Truncate, "503 unavailable 1"),
        ("failing", Reply::Problem(500, json!({})), "503 unavailable 1"),
        ("busy", Reply::Raw(503, busy(), String::new()), "503 overloaded 7"),
        ("limiting", Reply::Raw(429, busy(), String::new()), "503 overloaded 7"),
        ("html", Reply::Raw(200, html(), "<p>Hello".to_owned()), "502 bad-upstream"),
        ("wrong shape", Reply::Json(json!({"items": 7, "id": null})), "502 bad-upstream"),
        ("elsewhere", Reply::Raw(302, vec![("location", "/".to_owned())], String::new()), "502 bad-upstream"),
        ("gone", Reply::Problem(410, json!({})), "410 gone"),
        ("forbidden", Reply::Problem(403, json!({})), "403 forbidden"),
        ("not ours", Reply::Problem(401, json!({})), "502 bad-upstream"),
    ];
    let bff = Bff::start().await;
    // Both tokens are there before the first fault, so that none is waited for in the time of a hanging call.
    for route in ["GET /v1/products", "GET /v1/usage"] {
        ask(&bff.client(), route).await;
    }
    let patient = bff.client();
    let hasty = bff.client().with("x-request-timeout-ms", "100");
    for (route, _, call, _) in routes() {
        for (name, fault, expected) in &faults {
            bff.fake.on(call, fault.clone());
            let client = if expected.starts_with("504") { &hasty } else { &patient };
            let answer = ask(client, route).await;
            let slug =
                body(&answer)["type"].as_str().unwrap_or_default().replace("urn:triptych:problem:", "");
            let summary = format!("{} {slug} {}", answer.status.as_u16(), answer.header("retry-after"));
            assert_eq!(summary.trim_end(), *expected, "{route}: {name}");
        }
    }
}
