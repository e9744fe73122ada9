use demo_shop::Service::{Catalog, Orders, Users};
use http::Method;
use serde_json::json;

use crate::client::Shop;

#[tokio::test]
async fn calls_are_counted_by_route_and_the_bench_is_not() {
    let shop = Shop::open().await;
    let token = shop.client("web-bff").await;
    for path in ["/products", "/products?q=a", "/products/p_1", "/products/p_2", "/products/p_0", "/nowhere"]
    {
        shop.get(Catalog, path).bearer(&token).send().await;
    }
    shop.get(Catalog, "/promos").send().await.is_problem(401, "unauthenticated");
    shop.faults(Catalog, json!([{"path": "*", "mode": "error"}])).await;
    shop.get(Catalog, "/promos").bearer(&token).send().await.is_problem(503, "fault");
    let counts = shop.get(Catalog, "/_calls").send().await.json();
    let expected = json!({"GET /products": 2, "GET /products/{id}": 3, "GET /promos": 2, "(no route)": 1});
    assert_eq!(counts, expected);
    assert_eq!(shop.get(Users, "/_calls").send().await.json(), json!({}));
    assert_eq!(shop.call(Catalog, &Method::DELETE, "/_calls").send().await.status, 204);
    assert_eq!(shop.get(Catalog, "/_calls").send().await.json(), json!({}));
}

#[tokio::test]
async fn the_last_request_can_be_seen_without_its_credential() {
    let shop = Shop::open().await;
    let token = shop.user("u_42").await;
    shop.get(Orders, "/_last").send().await.is_problem(404, "not-found");
    let call = shop.get(Orders, "/orders?userId=u_42&limit=3").bearer(&token);
    call.header("x-request-id", "r1").header("x-twice", "a").header("x-twice", "b").send().await;
    shop.get(Orders, "/orders/o_1").send().await;

    let last = shop.get(Orders, "/_last?route=GET%20/orders").send().await;
    assert_eq!(last.json()["method"], "GET");
    assert_eq!(last.json()["path"], "/orders?userId=u_42&limit=3");
    assert_eq!(last.json()["headers"]["authorization"], "Bearer");
    assert_eq!(last.json()["headers"]["x-request-id"], "r1");
    assert_eq!(last.json()["headers"]["x-twice"], "a, b");
    let newest = shop.get(Orders, "/_last").send().await.json();
    assert_eq!(newest["path"], "/orders/o_1");
}
