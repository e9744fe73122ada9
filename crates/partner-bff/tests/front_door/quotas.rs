//! A partner asks as often as its plan allows, with whichever credential.

use std::time::Duration;

use middleware::PlanSettings;
use serde_json::json;
use test_support::{Answer, Reply};

use crate::{Bff, ask, line, order, report, routes};

/// With so many requests in an hour for everybody: none comes back while a test runs.
async fn start(requests: u32) -> Bff {
    let per = Duration::from_hours(1);
    let plan = PlanSettings { requests: requests.try_into().expect("not none"), per };
    Bff::with(|settings| {
        settings.plans.insert("default".to_owned(), plan);
    })
    .await
}

fn left(answer: &Answer) -> String {
    let limit = answer.header("ratelimit").split(";t=").next().unwrap_or_default();
    format!("{} {limit}", answer.status.as_u16())
}

#[tokio::test]
async fn every_answer_says_what_is_left_and_what_is_too_much_costs_nothing() {
    let bff = start(6).await;
    let requests = routes();
    for (number, (route, _, call, reply)) in requests.iter().enumerate() {
        // Whatever comes of it, it counts.
        match number {
            1 => bff.fake.on(call, Reply::Reset),
            2 => bff.fake.on(call, Reply::Problem(404, json!({}))),
            _ => bff.fake.on(call, Reply::Json(reply.clone())),
        };
        let answer = ask(&bff.client(), route).await;
        assert_eq!(answer.header("ratelimit-policy"), r#""default";q=6;w=3600"#, "{route}");
        let remaining = 5 - number;
        assert!(
            left(&answer).ends_with(&format!(r#" "default";r={remaining}"#)),
            "{route}: {}",
            line(&answer)
        );
    }
    let before = bff.calls().len();
    for (route, ..) in requests {
        let answer = ask(&bff.client(), route).await;
        assert_eq!(left(&answer), r#"429 "default";r=0"#, "{route}");
        let wait: u64 = answer.header("retry-after").parse().unwrap();
        assert!(answer.header("ratelimit").ends_with(&format!(";t={wait}")) && wait <= 600, "{wait}");
    }
    assert_eq!(bff.calls().len(), before, "what is refused reaches no service");
    let refused = bff.client().get("/v1/usage").await;
    insta::assert_snapshot!(line(&refused), @r#"429 {"detail":"The plan default allows 6 requests in 1h.","instance":"/partner/v1/usage","request_id":"…","status":429,"title":"There were too many requests","type":"urn:triptych:problem:too-many-requests"}"#);
    assert_eq!(bff.anonymous().get("/v1/openapi.json").await.status, 200, "what is open has no quota");
}

#[tokio::test]
async fn an_account_has_one_quota_and_another_has_its_own() {
    let bff = start(3).await;
    bff.fake.on("GET /accounts/acct_acme/usage", Reply::Json(report()));
    bff.fake.on("GET /accounts/acct_globex/usage", Reply::Json(report()));
    let token = bff.with_token("acct_acme", "usage:read");
    assert_eq!(left(&bff.client().get("/v1/usage").await), r#"200 "default";r=2"#);
    assert_eq!(left(&token.get("/v1/usage").await), r#"200 "default";r=1"#);
    assert_eq!(
        left(&token.get("/v1/orders").await),
        r#"403 "default";r=0"#,
        "also what is not allowed counts"
    );
    assert_eq!(token.get("/v1/usage").await.status, 429);
    let globex = bff.anonymous().with("x-api-key", "tpk_globex_secret");
    assert_eq!(left(&globex.get("/v1/usage").await), r#"200 "default";r=2"#);
}

#[tokio::test]
async fn a_write_that_was_refused_may_come_again_under_its_key() {
    let bff = start(1).await;
    bff.fake.on("POST /orders", Reply::Json(order("o_1", 4200, "EUR")));
    let client = bff.client().with("idempotency-key", "k1");
    assert_eq!(ask(&client, "POST /v1/orders").await.status, 201);
    assert_eq!(ask(&client, "POST /v1/orders").await.status, 429);
    assert_eq!(bff.calls().len(), 1);
}

#[tokio::test]
async fn usage_shows_the_plan_and_counts_itself() {
    let bff = Bff::with(|settings| {
        let plan = json!({"gold": {"requests": 10, "per": "1h"}});
        settings.plans.extend(serde_json::from_value::<std::collections::BTreeMap<_, _>>(plan).expect("a plan"));
        let partners = json!({"acme": {"account": "acct_acme", "client_id": "acme", "client_secret": "hush", "plan": "gold"}});
        settings.partners = serde_json::from_value(partners).expect("good partners");
        crate::write_keys(settings, &[("acme", crate::ALL_SCOPES)]);
    })
    .await;
    bff.fake.on("GET /accounts/acct_acme/usage", Reply::Json(report()));
    for remaining in [9, 8] {
        let answer = bff.client().get("/v1/usage").await.json();
        let limit = &answer["data"]["rate_limit"];
        let expected = json!({"plan": "gold", "limit": 10, "remaining": remaining, "window_seconds": 3600});
        for (name, value) in expected.as_object().unwrap() {
            assert_eq!(&limit[name], value, "{name}");
        }
        let resets = limit["resets_in_seconds"].as_u64().unwrap();
        assert!(resets > 300 * (10 - remaining) && resets <= 360 * (10 - remaining), "{limit}");
    }
}
