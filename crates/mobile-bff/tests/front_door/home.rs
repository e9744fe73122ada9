//! `GET /home`.

use serde_json::{Value, json};
use test_support::Reply;

use crate::Bff;

pub(crate) fn order(id: &str, product: &str, cents: i64, currency: &str) -> Value {
    json!({
        "id": id, "userId": "u_42", "productId": product, "quantity": 1, "status": "shipped",
        "totalCents": cents, "currency": currency,
        "placedAt": "2026-11-20T08:30:00Z", "updatedAt": "2026-11-21T09:00:00Z",
    })
}

fn healthy(bff: &Bff) {
    let promo = |id| json!({"id": id, "title": "Ten off", "productId": "p_1", "discountPercent": 10, "endsAt": "2026-12-01T00:00:00Z"});
    let user = json!({"id": "u_42", "firstName": "Ada", "lastName": "Lovelace", "email": "ada@example.com", "role": "customer",
        "avatarUrl": "https://images.example/u_42.webp", "locale": "en-GB", "createdAt": "2020-01-01T00:00:00Z"});
    let orders = [
        order("o_3", "p_1", 4200, "EUR"),
        order("o_2", "p_2", 4200, "JPY"),
        order("o_1", "p_3", 4200, "KWD"),
    ];
    let notifications = json!({"items": [{"id": "n_1", "title": "Hello", "body": "…", "read": false, "createdAt": "2026-11-20T08:30:00Z"}], "unreadCount": 7});
    bff.backend
        .services
        .on("GET /users/u_42", Reply::Json(user))
        .on("GET /orders", Reply::Json(json!({"items": orders, "nextCursor": null})))
        .on(
            "GET /promos",
            Reply::Json(json!({"items": [promo("promo_1"), promo("promo_2"), promo("promo_3")]})),
        )
        .on("GET /notifications", Reply::Json(notifications));
}

#[tokio::test]
async fn the_first_screen_in_one_request() {
    let bff = Bff::start().await;
    healthy(&bff);
    let answer = bff.client().get("/home").await;
    assert_eq!(answer.status, 200);
    assert!(answer.body.len() <= 1024, "{} bytes", answer.body.len());
    insta::assert_snapshot!(String::from_utf8_lossy(&answer.body), @r#"{"greeting":"Hi Ada","avatar":"https://images.example/u_42.webp","recentOrders":[{"id":"o_3","status":"shipped","total":42.00,"currency":"EUR"},{"id":"o_2","status":"shipped","total":4200,"currency":"JPY"},{"id":"o_1","status":"shipped","total":4.200,"currency":"KWD"}],"promos":[{"id":"promo_1","title":"Ten off","discountPercent":10},{"id":"promo_2","title":"Ten off","discountPercent":10}],"unread":7}"#);
}

#[tokio::test]
async fn four_calls_with_all_that_a_service_must_know() {
    let bff = Bff::start().await;
    healthy(&bff);
    bff.client()
        .with("x-user-id", "u_1")
        .with("cookie", "__Host-Http-triptych=s3cret")
        .with("x-api-key", "tpk_acme01_s3cret")
        .with("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
        .get("/home")
        .await;
    let mut calls: Vec<_> = bff
        .backend
        .services
        .seen()
        .iter()
        .map(|seen| {
            let header = |name: &str| seen.headers.get(name).map_or("-", |value| value.to_str().unwrap());
            // The fake's token for a service is that service's name before the token that it was exchanged for.
            let (audience, subject) =
                header("authorization").strip_prefix("Bearer ").unwrap().split_once('.').unwrap();
            let token = if subject == "service-token" { "service" } else { "caller" };
            assert!(!header("traceparent").contains("4bf92f35"), "a stranger's trace was continued");
            let mut values = seen.headers.values();
            assert!(!values.any(|value| value.to_str().unwrap().contains("s3cret")), "{:?}", seen.headers);
            assert_eq!(header("x-request-id").len(), 36);
            assert!(header("x-request-deadline-ms").parse::<u64>().unwrap() <= 970);
            format!(
                "{}?{} token={token} for={audience} user={} priority={}",
                seen.route,
                seen.query,
                header("x-user-id"),
                header("x-request-priority")
            )
        })
        .collect();
    calls.sort();
    insta::assert_snapshot!(calls.join("\n"), @"
    GET /notifications?userId=u_42&unread=true&limit=1 token=caller for=notifications user=u_42 priority=page
    GET /orders?userId=u_42&limit=3 token=caller for=orders user=u_42 priority=page
    GET /promos? token=service for=catalog user=- priority=page
    GET /users/u_42? token=caller for=users user=u_42 priority=page
    ");
}

#[tokio::test]
async fn a_lost_section_is_a_warning_and_never_an_error() {
    let cases = [
        ("a 503", Reply::Problem(503, json!({})), "unavailable", true),
        ("a reset", Reply::Reset, "unavailable", true),
        ("a hang", Reply::Hang, "timeout", true),
        ("a stall", Reply::Stall, "timeout", true),
        ("a truncated answer", Reply::Truncate, "unavailable", true),
        (
            "a redirect",
            Reply::Raw(302, vec![("location", "http://127.0.0.1:1/".into())], String::new()),
            "contract_violation",
            false,
        ),
        (
            "a web page",
            Reply::Raw(200, vec![("content-type", "text/html".into())], "<html>".into()),
            "contract_violation",
            false,
        ),
        ("another shape", Reply::Json(json!({"items": [{"id": 1}]})), "contract_violation", false),
        (
            "out of range",
            Reply::Json(
                json!({"items": [{"id": "p", "title": "t", "productId": "p", "discountPercent": 101, "endsAt": "2026-12-01T00:00:00Z"}]}),
            ),
            "contract_violation",
            false,
        ),
        (
            "a flood",
            Reply::Json(json!({"items": [], "padding": "x".repeat(3 << 20)})),
            "contract_violation",
            false,
        ),
        ("a 404", Reply::Problem(404, json!({})), "not_found", false),
        ("a 403", Reply::Problem(403, json!({})), "forbidden", false),
        ("a 401", Reply::Problem(401, json!({})), "unavailable", true),
        ("a 429", Reply::Problem(429, json!({})), "shed", true),
    ];
    let bff = Bff::with(&[
        ("BFF__UPSTREAMS__CATALOG__TIMEOUT", "200ms"),
        ("BFF__UPSTREAMS__CATALOG__CONNECT_TIMEOUT", "100ms"),
    ])
    .await;
    healthy(&bff);
    for (fault, reply, status, retryable) in cases {
        bff.backend.services.on("GET /promos", reply);
        let answer = bff.client().get("/home").await;
        assert_eq!(answer.status, 200, "{fault}");
        let body = answer.json();
        assert_eq!(body["promos"], json!([]), "{fault}");
        assert_eq!(body["recentOrders"].as_array().unwrap().len(), 3, "{fault}");
        let [warning] = &body["warnings"].as_array().unwrap()[..] else { panic!("{fault}: {body}") };
        assert_eq!(
            (&warning["section"], &warning["status"], &warning["retryable"]),
            (&json!("promos"), &json!(status), &json!(retryable)),
            "{fault}"
        );
    }
}

#[tokio::test]
async fn nobody_waits_for_an_optional_section_as_long_as_for_a_required_one() {
    let bff = Bff::with(&[
        ("BFF__REQUESTS__DEADLINE", "10m"),
        ("BFF__REQUESTS__OPTIONAL_DEADLINE", "1s"),
        ("BFF__UPSTREAMS__USERS__TIMEOUT", "10m"),
        ("BFF__UPSTREAMS__CATALOG__TIMEOUT", "10m"),
    ])
    .await;
    healthy(&bff);
    bff.backend.services.on("GET /promos", Reply::Hang);
    let answer = bff.client().get("/home").await;
    let body = answer.json();
    assert_eq!(
        (answer.status.as_u16(), &body["greeting"], &body["promos"]),
        (200, &json!("Hi Ada"), &json!([]))
    );
    let lost = body["warnings"].as_array().unwrap().iter().find(|warning| warning["section"] == "promos");
    assert_eq!(lost.unwrap()["status"], "timeout");

    let seen = bff.backend.services.seen();
    let left = |route: &str| -> u64 {
        let call = seen.iter().find(|seen| seen.route == route).unwrap();
        call.headers["x-request-deadline-ms"].to_str().unwrap().parse().unwrap()
    };
    assert!(left("GET /promos") <= 950 && left("GET /orders") <= 950);
    assert!(left("GET /users/u_42") > 1000);
}

#[tokio::test]
async fn a_lost_user_is_the_screens_problem() {
    let cases = [
        (Reply::Problem(500, json!({})), 503, "unavailable"),
        (Reply::Reset, 503, "unavailable"),
        (Reply::Problem(429, json!({})), 503, "overloaded"),
        (Reply::Hang, 504, "deadline-exceeded"),
        (Reply::Json(json!({"id": 42})), 502, "bad-upstream"),
        (Reply::Problem(401, json!({})), 502, "bad-upstream"),
        (Reply::Problem(404, json!({})), 404, "not-found"),
    ];
    let bff = Bff::with(&[("BFF__UPSTREAMS__USERS__TIMEOUT", "300ms")]).await;
    healthy(&bff);
    for (reply, status, slug) in cases {
        bff.backend.services.on("GET /users/u_42", reply.clone());
        let answer = bff.client().get("/home").await;
        assert_eq!(
            (answer.status.as_u16(), &answer.json()["type"]),
            (status, &json!(format!("urn:triptych:problem:{slug}"))),
            "{reply:?}"
        );
        assert_eq!(answer.headers.contains_key("retry-after"), status == 503, "{reply:?}");
        assert_eq!(answer.json()["requestId"], answer.header("x-request-id"));
    }
}

#[tokio::test]
async fn nobody_gets_a_challenge_and_no_service_is_asked() {
    let bff = Bff::start().await;
    let forged = bff.backend.bearer_with("u_42", &json!({"aud": "somebody-else"}));
    for client in [bff.anonymous(), bff.anonymous().with("authorization", &forged)] {
        let answer = client.get("/home").await;
        assert_eq!(answer.status, 401);
        assert!(answer.header("www-authenticate").starts_with("Bearer"));
    }
    assert!(bff.backend.services.seen().is_empty());
}

#[tokio::test]
async fn an_unchanged_screen_is_not_sent_again() {
    let bff = Bff::start().await;
    healthy(&bff);
    let first = bff.client().get("/home").await;
    let again = bff.client().with("if-none-match", first.header("etag")).get("/home").await;
    assert_eq!((again.status.as_u16(), again.body.len()), (304, 0));
}
