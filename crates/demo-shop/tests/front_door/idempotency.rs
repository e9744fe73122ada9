use std::collections::HashSet;

use demo_shop::Service::{Catalog, Orders};
use futures::future::join_all;
use serde_json::{Value, json};

use crate::client::{Answer, Shop};

async fn place(shop: &Shop, token: &str, key: &str, wish: &Value) -> Answer {
    shop.post(Orders, "/orders").bearer(token).header("idempotency-key", key).json(wish).send().await
}

#[tokio::test]
async fn fifty_at_once_with_one_key_are_one_order() {
    let shop = Shop::open().await;
    let token = shop.user("u_42").await;
    let product = async || shop.get(Catalog, "/products/p_1").bearer(&token).send().await.json();
    let before = product().await["stock"].as_u64().unwrap();
    let wish = json!({"productId": "p_1", "quantity": 2});
    let answers = join_all((0..50).map(|_| place(&shop, &token, "once", &wish))).await;
    assert!(answers.iter().all(|answer| answer.status == 201));
    let bodies: HashSet<_> = answers.iter().map(|answer| answer.body.clone()).collect();
    assert_eq!(bodies.len(), 1);
    assert_eq!(product().await["stock"], before - 2);
    shop.get(Orders, "/orders/o_20002").bearer(&token).send().await.is_problem(404, "not-found");
}

#[tokio::test]
async fn a_key_is_for_one_request_of_one_caller() {
    let shop = Shop::open().await;
    let (ada, other) = (shop.user("u_42").await, shop.user("u_43").await);
    let wish = json!({"productId": "p_1", "quantity": 1});
    let first = place(&shop, &ada, "k", &wish).await;
    let more = json!({"productId": "p_1", "quantity": 2});
    place(&shop, &ada, "k", &more).await.is_problem(422, "idempotency-mismatch");
    let others = place(&shop, &other, "k", &wish).await;
    assert_eq!((others.status.as_u16(), &others.json()["userId"]), (201, &json!("u_43")));
    assert_eq!(place(&shop, &ada, "k", &wish).await.body, first.body);
    place(&shop, &ada, "", &wish).await.is_problem(400, "invalid");
    place(&shop, &ada, &"k".repeat(256), &wish).await.is_problem(400, "invalid");
}

#[tokio::test]
async fn a_refused_order_may_be_tried_again() {
    let shop = Shop::open().await;
    let token = shop.user("u_42").await;
    place(&shop, &token, "k", &json!({"productId": "p_13", "quantity": 1}))
        .await
        .is_problem(409, "out-of-stock");
    let instead = place(&shop, &token, "k", &json!({"productId": "p_1", "quantity": 1})).await;
    assert_eq!(instead.status, 201);
}

#[tokio::test]
async fn a_cancellation_happens_once_per_key_too() {
    let shop = Shop::open().await;
    let token = shop.user("u_42").await;
    let placed = place(&shop, &token, "place", &json!({"productId": "p_1", "quantity": 1})).await.json();
    let path = format!("/orders/{}/cancel", placed["id"].as_str().unwrap());
    let cancel =
        async |key: &str| shop.post(Orders, &path).bearer(&token).header("idempotency-key", key).send().await;
    let first = cancel("a").await;
    assert_eq!(first.status, 200);
    assert_eq!(cancel("a").await.body, first.body);
    cancel("b").await.is_problem(409, "order-not-cancellable");
    cancel("place").await.is_problem(422, "idempotency-mismatch");
}
