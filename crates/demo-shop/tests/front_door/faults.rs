use std::time::Duration;

use demo_shop::Service::{self, Catalog, Identity};
use http::{Method, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout};

use crate::client::{Answer, EVER, Shop};

async fn broken(rule: Value) -> (Shop, String) {
    let shop = Shop::open().await;
    let token = shop.client("web-bff").await;
    shop.faults(Catalog, json!([rule])).await;
    (shop, token)
}

async fn product(shop: &Shop, token: &str) -> Answer {
    shop.get(Catalog, "/products/p_1").bearer(token).send().await
}

#[tokio::test(start_paused = true)]
async fn latency_is_the_real_answer_late() {
    let (shop, token) = broken(json!({"path": "/products/*", "mode": "latency", "latencyMs": 700})).await;
    let asked = Instant::now();
    assert_eq!(product(&shop, &token).await.json()["id"], "p_1");
    assert!(asked.elapsed() >= Duration::from_millis(700));
}

#[tokio::test]
async fn an_error_has_the_status_asked_for() {
    let (shop, token) = broken(json!({"path": "*", "mode": "error"})).await;
    let answer = product(&shop, &token).await;
    answer.is_problem(503, "fault");
    assert_eq!(answer.headers["retry-after"], "1");
    shop.faults(Catalog, json!([{"path": "*", "mode": "error", "status": 418}])).await;
    product(&shop, &token).await.is_problem(418, "fault");
}

#[tokio::test]
async fn an_expired_answer_is_the_real_one() {
    let (shop, token) = broken(json!({"path": "*", "mode": "expired"})).await;
    let answer = product(&shop, &token).await;
    assert_eq!(
        (&answer.json()["id"], &answer.headers["cache-control"]),
        (&json!("p_1"), &"max-age=0".parse().unwrap())
    );
}

#[tokio::test(start_paused = true)]
async fn a_hanging_call_gets_no_head() {
    let (shop, token) = broken(json!({"path": "*", "mode": "hang"})).await;
    assert!(timeout(EVER, product(&shop, &token)).await.is_err());
}

#[tokio::test]
async fn a_reset_is_a_reset() {
    let (shop, _) = broken(json!({"path": "*", "mode": "reset"})).await;
    let (_, address) = shop.running.addresses.iter().find(|(service, _)| *service == Catalog).unwrap();
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /promos HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let error = stream.read(&mut [0; 1]).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}

#[tokio::test(start_paused = true)]
async fn a_dripping_answer_comes_a_byte_a_second() {
    let (shop, token) = broken(json!({"path": "*", "mode": "drip"})).await;
    let response = shop.get(Catalog, "/promos").bearer(&token).open().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let mut body = response.into_body();
    let begun = Instant::now();
    for _ in 0..60 {
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap().len(), 1);
    }
    assert!(begun.elapsed() >= Duration::from_secs(59));
}

#[tokio::test]
async fn a_truncated_answer_breaks_off() {
    let (shop, token) = broken(json!({"path": "*", "mode": "truncate"})).await;
    let response = shop.get(Catalog, "/promos").bearer(&token).open().await.unwrap();
    assert_eq!(
        (response.status(), &response.headers()["content-length"]),
        (StatusCode::OK, &"4096".parse().unwrap())
    );
    let mut body = response.into_body();
    let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert!(first.starts_with(br#"{"items":"#));
    assert!(body.frame().await.unwrap().is_err());
}

#[tokio::test]
async fn other_bodies_are_not_what_was_asked_for() {
    let (shop, token) = broken(json!({"path": "*", "mode": "html"})).await;
    let html = product(&shop, &token).await;
    assert_eq!(html.status, 200);
    assert!(html.headers["content-type"].to_str().unwrap().starts_with("text/html"));

    shop.faults(Catalog, json!([{"path": "*", "mode": "oversize"}])).await;
    let oversize = product(&shop, &token).await;
    assert!(oversize.status == 200 && oversize.body.len() > 4 << 20);
    assert_eq!(oversize.headers["content-type"], "application/json");
    assert!(oversize.json().is_object());

    shop.faults(Catalog, json!([{"path": "*", "mode": "redirect"}])).await;
    let redirect = product(&shop, &token).await;
    assert_eq!(
        (redirect.status.as_u16(), redirect.headers["location"].to_str().unwrap()),
        (302, "http://127.0.0.1:1/elsewhere")
    );
}

#[tokio::test]
async fn a_wrong_shape_is_json_with_other_types() {
    let (shop, token) = broken(json!({"path": "*", "mode": "wrong_shape"})).await;
    let wrong = product(&shop, &token).await;
    assert_eq!(wrong.status, 200);
    assert_eq!(wrong.json()["priceCents"], "4200");
    assert!(wrong.json()["name"].is_number());
    let empty = shop.get(Catalog, "/products?q=unobtainium").bearer(&token).send().await;
    assert_eq!(empty.json(), json!({"items": {}, "nextCursor": false}));
    product(&shop, "no token").await.is_problem(401, "unauthenticated");
}

#[tokio::test]
async fn a_rule_is_for_its_paths_and_method_until_it_is_removed() {
    let shop = Shop::open().await;
    let token = shop.user("u_42").await;
    let rules = json!([{"path": "/products*", "mode": "error", "method": "GET"}]);
    shop.faults(Catalog, rules.clone()).await;
    let stored = shop.get(Catalog, "/_faults").send().await.json();
    assert_eq!(stored, json!([{"path": "/products*", "mode": "error", "method": "GET", "rate": 1.0}]));
    assert_eq!(product(&shop, &token).await.status, 503);
    assert_eq!(shop.get(Catalog, "/promos").bearer(&token).send().await.status, 200);
    assert_eq!(shop.post(Catalog, "/products").bearer(&token).send().await.status, 405);
    assert_eq!(shop.call(Catalog, &Method::DELETE, "/_faults").send().await.status, 204);
    assert_eq!(product(&shop, &token).await.status, 200);
}

#[tokio::test]
async fn a_rate_hits_its_share_and_each_seed_the_same_calls() {
    let hits = async || {
        let (shop, token) = broken(json!({"path": "*", "mode": "error", "rate": 0.3})).await;
        let mut hits = vec![];
        for _ in 0..200 {
            hits.push(product(&shop, &token).await.status == 503);
        }
        hits
    };
    let first = hits().await;
    let share = first.iter().filter(|hit| **hit).count();
    assert!((40..=80).contains(&share), "{share}");
    assert_eq!(hits().await, first);
}

#[tokio::test]
async fn the_identity_provider_breaks_too() {
    let shop = Shop::open().await;
    shop.faults(Identity, json!([{"path": "/jwks", "mode": "error", "status": 500}])).await;
    assert_eq!(shop.get(Identity, "/jwks").send().await.status, 500);
    assert_eq!(shop.get(Identity, "/.well-known/openid-configuration").send().await.status, 200);
}

#[tokio::test]
async fn a_rule_that_makes_no_sense_says_what_would() {
    let shop = Shop::open().await;
    shop.faults(Catalog, json!([{"path": "/promos", "mode": "html"}])).await;
    for (rules, hint) in [
        (json!([{"path": "*", "mode": "explode"}]), "`wrong_shape`"),
        (json!([{"path": "*", "mode": "error", "chance": 1}]), "`rate`"),
        (
            json!([{"path": "*", "mode": "error"}, {"path": "*", "mode": "error", "rate": 1.5}]),
            "[1].rate: 1.5 must be from 0 to 1",
        ),
        (json!([{"path": "*", "mode": "error", "status": 200}]), "400 to 599"),
        (json!([{"path": "orders", "mode": "error"}]), "must start with"),
        (json!([{"path": "*", "mode": "error", "method": "get"}]), "GET"),
        (json!([{"mode": "error"}]), "`path`"),
        (json!({"path": "*", "mode": "error"}), "sequence"),
    ] {
        let answer = shop.call(Catalog, &Method::PUT, "/_faults").json(&rules).send().await;
        answer.is_problem(400, "invalid");
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(hint), "{detail}");
    }
    let kept = shop.get(Catalog, "/_faults").send().await.json();
    assert_eq!(kept.as_array().map(Vec::len), Some(1), "a refused list changes nothing");
    assert_eq!(Service::ALL.len(), 7);
}
