//! `GET /v1/orders`, `GET /v1/orders/{id}` and `POST /v1/orders`.

use axum::http::HeaderMap;
use serde_json::json;
use test_support::{Client, Reply};

use crate::{Bff, body, line, order};

#[tokio::test]
async fn a_page_of_orders() {
    let bff = Bff::start().await;
    let orders = [order("o_1", 4200, "EUR"), order("o_2", 4200, "JPY"), order("o_3", 4200, "KWD")];
    bff.fake.on("GET /orders", Reply::Json(json!({"items": orders, "nextCursor": "next"})));
    let query = "status=paid&updated_since=2026-11-22T12:00:00%2B02:00&cursor=c1&limit=3";
    let answer = bff.client().get(&format!("/v1/orders?{query}")).await;
    assert_eq!(answer.status, 200);
    insta::assert_json_snapshot!(body(&answer), @r#"
    {
      "data": [
        {
          "id": "o_1",
          "placed_at": "2026-11-20T10:00:00Z",
          "product_id": "p_7",
          "quantity": 2,
          "status": "paid",
          "total": {
            "amount": "42.00",
            "currency": "EUR"
          },
          "updated_at": "2026-11-21T11:30:00.5Z"
        },
        {
          "id": "o_2",
          "placed_at": "2026-11-20T10:00:00Z",
          "product_id": "p_7",
          "quantity": 2,
          "status": "paid",
          "total": {
            "amount": "4200",
            "currency": "JPY"
          },
          "updated_at": "2026-11-21T11:30:00.5Z"
        },
        {
          "id": "o_3",
          "placed_at": "2026-11-20T10:00:00Z",
          "product_id": "p_7",
          "quantity": 2,
          "status": "paid",
          "total": {
            "amount": "4.200",
            "currency": "KWD"
          },
          "updated_at": "2026-11-21T11:30:00.5Z"
        }
      ],
      "page": {
        "next_cursor": "next"
      }
    }
    "#);
    assert_eq!(
        bff.calls(),
        ["GET /orders?userId=acct_acme&limit=3&status=paid&updatedSince=2026-11-22T10%3A00%3A00Z&cursor=c1"]
    );
}

#[tokio::test]
async fn one_order_and_one_that_is_not_there() {
    let bff = Bff::start().await;
    bff.fake.on("GET /orders/o_1", Reply::Json(order("o_1", 5, "USD")));
    insta::assert_json_snapshot!(body(&bff.client().get("/v1/orders/o_1").await), @r#"
    {
      "data": {
        "id": "o_1",
        "placed_at": "2026-11-20T10:00:00Z",
        "product_id": "p_7",
        "quantity": 2,
        "status": "paid",
        "total": {
          "amount": "0.05",
          "currency": "USD"
        },
        "updated_at": "2026-11-21T11:30:00.5Z"
      }
    }
    "#);
    insta::assert_snapshot!(line(&bff.client().get("/v1/orders/o_9").await), @r#"404 {"instance":"/partner/v1/orders/o_9","request_id":"…","status":404,"title":"There is nothing here","type":"urn:triptych:problem:not-found"}"#);
}

#[tokio::test]
async fn an_order_is_placed() {
    let bff = Bff::start().await;
    bff.fake.on("POST /orders", Reply::Json(order("o_20001", 4200, "KWD")));
    let answer = bff.client().post("/v1/orders", &json!({"product_id": "p_7", "quantity": 2})).await;
    assert_eq!(answer.status, 201);
    assert_eq!(answer.header("location"), "http://127.0.0.1:8080/partner/v1/orders/o_20001");
    insta::assert_json_snapshot!(body(&answer), @r#"
    {
      "data": {
        "id": "o_20001",
        "placed_at": "2026-11-20T10:00:00Z",
        "product_id": "p_7",
        "quantity": 2,
        "status": "paid",
        "total": {
          "amount": "4.200",
          "currency": "KWD"
        },
        "updated_at": "2026-11-21T11:30:00.5Z"
      }
    }
    "#);

    let seen = bff.fake.seen();
    let call = seen.iter().find(|seen| seen.route == "POST /orders").unwrap();
    assert_eq!(call.body, r#"{"productId":"p_7","quantity":2}"#);
    assert!(!call.headers.contains_key("idempotency-key"));
}

#[tokio::test]
async fn a_write_happens_once_under_a_key_that_is_each_partners_own() {
    let bff = Bff::start().await;
    bff.fake.on("POST /orders", Reply::Json(order("o_20001", 4200, "EUR")));
    let globex = bff.anonymous().with("x-api-key", "tpk_globex_secret");
    for client in [bff.client().with("idempotency-key", "k-1"), globex.with("idempotency-key", "k-1")] {
        let order = |quantity: u32| json!({"product_id": "p_7", "quantity": quantity});
        let [first, again] =
            [client.post("/v1/orders", &order(2)).await, client.post("/v1/orders", &order(2)).await];
        assert_eq!((first.status.as_u16(), again.status.as_u16(), &first.body), (201, 201, &again.body));
        assert_eq!(
            (first.header("idempotency-replayed"), again.header("idempotency-replayed")),
            ("", "true")
        );
        let another = client.post("/v1/orders", &order(3)).await;
        assert_eq!(body(&another)["type"], "urn:triptych:problem:idempotency-mismatch");
    }
    assert_eq!(place(&bff.client().with("idempotency-key", "k-2")).await, 201);

    let seen = bff.fake.seen();
    let placed = seen.iter().filter(|seen| seen.route == "POST /orders");
    let keys: Vec<_> = placed.map(|seen| seen.headers["idempotency-key"].to_str().unwrap()).collect();
    assert!(keys.iter().all(|key| key.len() == 64 && key.bytes().all(|b| b.is_ascii_hexdigit())), "{keys:?}");
    assert_eq!(keys.len(), 3, "a repetition is recognised");
    assert_ne!(keys[0], keys[1], "another partner's key is another key");
    assert_ne!(keys[0], keys[2]);
}

#[tokio::test]
async fn a_write_that_failed_runs_again_under_the_same_key() {
    let bff = Bff::start().await;
    let placed = Reply::Json(order("o_20001", 4200, "EUR"));
    // No time was left there, so that the BFF itself does not ask again.
    bff.fake.on_each("POST /orders", vec![Reply::Problem(504, json!({})), placed]);
    let client = bff.client().with("idempotency-key", "k-1");
    assert_eq!((place(&client).await, place(&client).await), (504, 201));
    let seen = bff.fake.seen();
    let placed = seen.iter().filter(|seen| seen.route == "POST /orders");
    let keys: Vec<_> = placed.map(|seen| &seen.headers["idempotency-key"]).collect();
    assert_eq!((keys.len(), keys[0]), (2, keys[1]));
}

async fn place(client: &Client) -> u16 {
    client.post("/v1/orders", &json!({"product_id": "p_7", "quantity": 2})).await.status.as_u16()
}

#[tokio::test]
async fn what_the_shop_refuses_has_a_name() {
    let bff = Bff::start().await;
    let mut lines = vec![];
    for (code, status) in [
        ("out-of-stock", 409),
        ("unknown-product", 422),
        ("idempotency-mismatch", 422),
        ("something-new", 409),
    ] {
        let problem = json!({"type": format!("urn:shop:problem:{code}"), "detail": "internal"});
        bff.fake.on("POST /orders", Reply::Problem(status, problem));
        let answer = bff.client().post("/v1/orders", &json!({"product_id": "p_7", "quantity": 2})).await;
        lines.push(line(&answer));
    }
    insta::assert_snapshot!(lines.join("\n"), @r#"
    409 {"instance":"/partner/v1/orders","request_id":"…","status":409,"title":"There are not enough of this product","type":"urn:triptych:problem:out-of-stock"}
    422 {"instance":"/partner/v1/orders","request_id":"…","status":422,"title":"There is no such product","type":"urn:triptych:problem:unknown-product"}
    422 {"instance":"/partner/v1/orders","request_id":"…","status":422,"title":"The idempotency key was used for another request","type":"urn:triptych:problem:idempotency-mismatch"}
    409 {"instance":"/partner/v1/orders","request_id":"…","status":409,"title":"The request conflicts with the present state","type":"urn:triptych:problem:conflict"}
    "#);
}

#[tokio::test]
async fn only_a_purchase_is_more_than_batch_work() {
    let bff = Bff::start().await;
    bff.fake
        .on("GET /orders", Reply::Json(json!({"items": []})))
        .on("POST /orders", Reply::Json(order("o_1", 4200, "EUR")));
    bff.client().get("/v1/orders").await;
    place(&bff.client()).await;
    let seen = bff.fake.seen();
    let of =
        |route: &str| seen.iter().find(|seen| seen.route == route).map(|seen| told(&seen.headers)).unwrap();
    assert_eq!(of("GET /orders"), "batch acct_acme Bearer orders.first-token");
    assert_eq!(of("POST /orders"), "checkout acct_acme Bearer orders.first-token");
}

/// What the service was told of the request: its priority, its caller, and the caller's token.
fn told(headers: &HeaderMap) -> String {
    let names = ["x-request-priority", "x-user-id", "authorization"];
    names.map(|name| headers[name].to_str().expect("text")).join(" ")
}
