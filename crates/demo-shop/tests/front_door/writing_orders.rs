use demo_shop::Service::{Catalog, Orders};
use serde_json::{Value, json};

use crate::client::{Answer, Shop};

async fn place(shop: &Shop, token: &str, wish: &Value) -> Answer {
    shop.post(Orders, "/orders").bearer(token).json(wish).send().await
}

async fn stock(shop: &Shop, token: &str, product: &str) -> u64 {
    let answer = shop.get(Catalog, &format!("/products/{product}")).bearer(token).send().await;
    answer.json()["stock"].as_u64().unwrap()
}

#[tokio::test]
async fn a_placed_order_is_there_and_its_goods_are_gone() {
    let shop = Shop::open().await;
    let token = shop.user("u_42").await;
    let before = stock(&shop, &token, "p_2").await;
    let placed = place(&shop, &token, &json!({"productId": "p_2", "quantity": 3})).await;
    assert_eq!(placed.status, 201);
    let order = placed.json();
    assert_eq!(
        (&order["id"], &order["status"], &order["userId"]),
        (&json!("o_20001"), &json!("placed"), &json!("u_42"))
    );
    let list = shop.get(Orders, "/orders?userId=u_42&limit=1").bearer(&token).send().await;
    assert_eq!(list.json()["items"][0], order);
    assert_eq!(stock(&shop, &token, "p_2").await, before - 3);

    let path = format!("/orders/{}/cancel", order["id"].as_str().unwrap());
    let cancelled = shop.post(Orders, &path).bearer(&token).send().await;
    assert_eq!((cancelled.status.as_u16(), &cancelled.json()["status"]), (200, &json!("cancelled")));
    assert_eq!(stock(&shop, &token, "p_2").await, before);
    shop.post(Orders, &path).bearer(&token).send().await.is_problem(409, "order-not-cancellable");

    place(&shop, &token, &json!({"productId": "p_2", "quantity": 1})).await;
    assert_eq!(shop.post(Orders, "/_reset").send().await.status, 204);
    assert_eq!(stock(&shop, &token, "p_2").await, before);
    shop.get(Orders, "/orders/o_20001").bearer(&token).send().await.is_problem(404, "not-found");
}

#[tokio::test]
async fn business_nonsense_is_refused() {
    let shop = Shop::open().await;
    let token = shop.user("u_42").await;
    for (wish, status, code) in [
        (json!({"productId": "p_13", "quantity": 1}), 409, "out-of-stock"),
        (json!({"productId": "p_9001", "quantity": 1}), 422, "unknown-product"),
        (json!({"productId": "teapot", "quantity": 1}), 422, "unknown-product"),
        (json!({"productId": "p_1", "quantity": 0}), 400, "invalid"),
        (json!({"productId": "p_1", "quantity": 101}), 400, "invalid"),
        (json!({"productId": "p_1", "quantity": -1}), 400, "invalid"),
        (json!({"productId": "p_1"}), 400, "invalid"),
        (json!({"productId": "p_1", "quantity": 1, "price": 0}), 400, "invalid"),
        (json!([]), 400, "invalid"),
    ] {
        place(&shop, &token, &wish).await.is_problem(status, code);
    }
    let text = shop.post(Orders, "/orders").bearer(&token).form("{}").send().await;
    text.is_problem(415, "unsupported-media-type");
    let huge = json!({"productId": "x".repeat(70_000), "quantity": 1});
    place(&shop, &token, &huge).await.is_problem(413, "too-large");
}

#[tokio::test]
async fn what_was_sent_cannot_be_cancelled() {
    let shop = Shop::open().await;
    let token = shop.user("u_42").await;
    let sent = shop.get(Orders, "/orders?userId=u_42&status=delivered&limit=1").bearer(&token).send().await;
    let path = format!("/orders/{}/cancel", sent.items("id")[0]);
    shop.post(Orders, &path).bearer(&token).send().await.is_problem(409, "order-not-cancellable");
    shop.post(Orders, "/orders/o_999999/cancel").bearer(&token).send().await.is_problem(404, "not-found");
}
