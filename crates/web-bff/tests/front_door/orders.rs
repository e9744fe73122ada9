//! `GET /orders`, `POST /orders`, `GET /orders/{id}`, `POST /orders/{id}/cancel`.

use http::Method;
use serde_json::json;
use test_support::Reply;

use crate::Bff;
use crate::dashboard::{order, product};

#[tokio::test]
async fn a_page_of_orders_with_their_products() {
    let bff = Bff::start().await;
    bff.backend
        .services
        .on("GET /orders", Reply::Json(json!({"items": [order("o_1", "p_1")], "nextCursor": "c2"})))
        .on("GET /products", Reply::Json(json!({"items": [product("p_1")]})));
    let answer = bff.client().get("/orders?cursor=c1").await.json();
    assert_eq!(
        (&answer["nextCursor"], &answer["orders"][0]["product"]["name"]),
        (&json!("c2"), &json!("Teapot"))
    );
    assert_eq!(bff.backend.services.seen()[0].query, "userId=u_42&limit=50&cursor=c1");
}

#[tokio::test]
async fn an_order_keeps_its_page_without_its_product() {
    let bff = Bff::start().await;
    bff.backend.services.on("GET /orders/o_1", Reply::Json(order("o_1", "p_9001")));
    let answer = bff.client().get("/orders/o_1").await;
    assert_eq!(answer.status, 200);
    insta::assert_json_snapshot!(answer.json(), @r#"
    {
      "id": "o_1",
      "placedAt": "2026-11-20T08:30:00Z",
      "product": null,
      "productId": "p_9001",
      "quantity": 1,
      "status": "shipped",
      "total": {
        "amount": "4.200",
        "currency": "KWD"
      },
      "updatedAt": "2026-11-21T09:00:00Z",
      "warnings": [
        {
          "message": "This part does not exist any more.",
          "retryable": false,
          "section": "product",
          "status": "not_found"
        }
      ]
    }
    "#);
}

#[tokio::test]
async fn an_order_is_placed() {
    let bff = Bff::start().await;
    let placed =
        Reply::Raw(201, vec![("content-type", "application/json".into())], order("o_9", "p_1").to_string());
    bff.backend.services.on("POST /orders", placed).on("GET /products/p_1", Reply::Json(product("p_1")));
    let answer = bff.client().post("/orders", &json!({"productId": "p_1", "quantity": 1})).await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("location")),
        (201, "http://127.0.0.1:8080/web/orders/o_9")
    );
    assert_eq!(answer.json()["product"]["id"], "p_1");
    assert!(bff.backend.services.seen()[0].headers.get("idempotency-key").is_none());
}

#[tokio::test]
async fn an_order_is_cancelled_or_the_shop_says_why_not() {
    let bff = Bff::start().await;
    bff.backend
        .services
        .on("POST /orders/o_1/cancel", Reply::Json(order("o_1", "p_1")))
        .on("GET /products/p_1", Reply::Json(product("p_1")));
    let cancel = |id: &str| {
        let (client, path) = (bff.client(), format!("/orders/{id}/cancel"));
        async move { client.send(Method::POST, &path, None).await }
    };
    assert_eq!(cancel("o_1").await.json()["id"], "o_1");
    for (status, code, expected) in [
        (409, "order-not-cancellable", "order-not-cancellable"),
        (409, "other", "conflict"),
        (403, "forbidden", "forbidden"),
        (404, "not-found", "not-found"),
        (410, "gone", "gone"),
        (412, "x", "precondition-failed"),
        (422, "x", "unprocessable"),
        (400, "x", "invalid-request"),
    ] {
        let problem = json!({"type": format!("https://shop.example/problems/{code}")});
        bff.backend.services.on("POST /orders/o_2/cancel", Reply::Problem(status, problem));
        let answer = cancel("o_2").await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.json()["type"], format!("urn:triptych:problem:{expected}"));
    }
}

#[tokio::test]
async fn every_write_happens_once_under_one_key() {
    let bff = Bff::start().await;
    bff.backend
        .services
        .on("POST /orders", Reply::Json(order("o_9", "p_1")))
        .on("POST /orders/o_1/cancel", Reply::Json(order("o_1", "p_1")))
        .on("POST /notifications/n_1/read", Reply::Raw(204, vec![], String::new()))
        .on("GET /products/p_1", Reply::Json(product("p_1")));
    let client = bff.client().with("idempotency-key", "k-1");
    for (path, body) in [
        ("/orders", Some(json!({"productId": "p_1", "quantity": 1}).to_string())),
        ("/orders/o_1/cancel", None),
        ("/notifications/n_1/read", None),
    ] {
        let first = client.send(Method::POST, path, body.clone()).await;
        let again = client.send(Method::POST, path, body).await;
        assert!(first.status.is_success(), "{first:?}");
        assert_eq!((again.status, &again.body), (first.status, &first.body), "{path}");
        assert_eq!(again.header("location"), first.header("location"), "{path}");
        assert_eq!(again.header("idempotency-replayed"), "true", "{path}");
        let other = client.send(Method::POST, path, Some("{}".into())).await;
        assert_eq!(other.json()["type"], "urn:triptych:problem:idempotency-mismatch", "{path}");
    }
    let writes = bff.backend.services.seen().into_iter().filter(|seen| seen.route.starts_with("POST"));
    assert_eq!(writes.count(), 3);
}

#[tokio::test]
async fn a_write_is_never_made_twice() {
    let bff = Bff::start().await;
    for fault in [Reply::Reset, Reply::Problem(503, json!({})), Reply::Truncate] {
        let before = bff.backend.services.seen().len();
        bff.backend.services.on("POST /orders", fault);
        let answer = bff.client().post("/orders", &json!({"productId": "p_1", "quantity": 1})).await;
        assert_eq!(answer.status, 503);
        assert_eq!(bff.backend.services.seen().len(), before + 1);
    }
}
