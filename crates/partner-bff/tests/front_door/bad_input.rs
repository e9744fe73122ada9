//! What each route says to what it cannot read. Nothing of it reaches a service.

use axum::http::Method;

use crate::{Bff, line};

#[tokio::test]
async fn queries() {
    let bff = Bff::start().await;
    let mut lines = vec![];
    for url in [
        "/v1/products?limit=0",
        "/v1/products?limit=201",
        "/v1/products?limit=ten",
        "/v1/products?limit=",
        "/v1/products?limit=1&limit=2",
        "/v1/products?q=",
        "/v1/products?cursor=",
        "/v1/products?cursor=a%20b",
        "/v1/products?page=2",
        "/v1/orders?limit=-1",
        "/v1/orders?status=lost",
        "/v1/orders?updated_since=yesterday",
        "/v1/orders?updated_since=2026-11-22T10:00:00",
        "/v1/orders?updated_since=2026-11-22T10:00:00+01:00",
        "/v1/orders?updatedSince=2026-11-22T10:00:00Z",
    ] {
        lines.push(format!("{url}\n  {}", line(&bff.client().get(url).await)));
    }
    insta::assert_snapshot!(lines.join("\n"), @"");

    for name in ["q", "category"] {
        let long = format!("/v1/products?{name}={}", "x".repeat(201));
        assert_eq!(bff.client().get(&long).await.status, 400, "{name}");
    }
    assert_eq!(bff.calls(), [""; 0]);
}

#[tokio::test]
async fn ids() {
    let bff = Bff::start().await;
    let mut lines = vec![];
    for url in ["/v1/products/%2e%2e%2fadmin", "/v1/orders/o%3F1", "/v1/orders/o_1;x", "/v1/orders/%FF"] {
        lines.push(format!("{url}\n  {}", line(&bff.client().get(url).await)));
    }
    insta::assert_snapshot!(lines.join("\n"), @"");
    assert_eq!(bff.calls(), [""; 0]);
}

#[tokio::test]
async fn bodies() {
    let bff = Bff::start().await;
    let mut lines = vec![];
    for body in [
        "",
        "{",
        "[]",
        "{}",
        r#"{"product_id": "p_7"}"#,
        r#"{"product_id": "p_7", "quantity": 0}"#,
        r#"{"product_id": "p_7", "quantity": -1}"#,
        r#"{"product_id": "p_7", "quantity": "two"}"#,
        r#"{"product_id": "../admin", "quantity": 1}"#,
        r#"{"product_id": "p_7", "quantity": 1, "price": 0}"#,
        r#"{"productId": "p_7", "quantity": 1}"#,
    ] {
        let answer = bff.client().send(Method::POST, "/v1/orders", Some(body.to_owned())).await;
        lines.push(format!("{body}\n  {}", line(&answer)));
    }
    insta::assert_snapshot!(lines.join("\n"), @"");
    assert_eq!(bff.calls(), [""; 0]);
}

#[tokio::test]
async fn headers() {
    let bff = Bff::start().await;
    let long = "k".repeat(256);
    let mut lines = vec![];
    for key in ["", "two words", &long] {
        let client = bff.client().with("idempotency-key", key);
        let body = Some(r#"{"product_id": "p_7", "quantity": 1}"#.to_owned());
        lines.push(line(&client.send(Method::POST, "/v1/orders", body).await));
    }
    lines.push(line(&bff.client().send(Method::POST, "/v1/orders", None).await));
    insta::assert_snapshot!(lines.join("\n"), @"");
    assert_eq!(bff.calls(), [""; 0]);
}
