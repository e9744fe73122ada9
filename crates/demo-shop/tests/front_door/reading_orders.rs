use std::collections::HashSet;

use demo_shop::Service::Orders;
use serde_json::json;

use crate::client::{Answer, Shop};

async fn get(shop: &Shop, token: &str, more: &str) -> Answer {
    shop.get(Orders, &format!("/orders?userId=u_42{more}")).bearer(token).send().await
}

/// Reads to the end, doing something after each page.
async fn all_pages(shop: &Shop, token: &str, query: &str, between: impl AsyncFn()) -> Vec<String> {
    let (mut ids, mut cursor) = (vec![], String::new());
    loop {
        let page = get(shop, token, &format!("{query}{cursor}")).await;
        ids.extend(page.items("id"));
        between().await;
        match page.json()["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return ids,
        }
    }
}

#[tokio::test]
async fn pages_hold_every_order_once_also_while_new_ones_come() {
    let shop = Shop::open().await;
    let token = shop.user("u_42").await;
    let whole = get(&shop, &token, "&limit=200").await;
    assert!(whole.items("id").len() >= 60);
    assert!(whole.items("placedAt").is_sorted_by(|a, b| a >= b));
    assert_eq!(get(&shop, &token, "").await.items("id"), whole.items("id")[..50]);
    let place = async || {
        let wish = json!({"productId": "p_1", "quantity": 1});
        assert_eq!(shop.post(Orders, "/orders").bearer(&token).json(&wish).send().await.status, 201);
    };
    assert_eq!(all_pages(&shop, &token, "&limit=7", place).await, whole.items("id"));
}

#[tokio::test]
async fn filters_leave_what_they_say() {
    let shop = Shop::open().await;
    let token = shop.user("u_42").await;
    let whole = get(&shop, &token, "&limit=200").await.json();
    let whole = whole["items"].as_array().unwrap();
    let mut seen = 0;
    for status in ["placed", "paid", "shipped", "delivered", "cancelled"] {
        let ids = all_pages(&shop, &token, &format!("&limit=10&status={status}"), async || {}).await;
        let expected: Vec<_> =
            whole.iter().filter(|order| order["status"] == status).map(|order| &order["id"]).collect();
        assert_eq!(json!(ids), json!(expected));
        seen += ids.len();
    }
    assert_eq!(seen, whole.len());

    let since = whole[20]["updatedAt"].as_str().unwrap();
    let updated = get(&shop, &token, &format!("&limit=200&updatedSince={since}")).await;
    assert!(updated.items("updatedAt").iter().all(|at| at.as_str() >= since));
    assert!(updated.items("id").contains(&whole[20]["id"].as_str().unwrap().to_owned()));
    assert!(updated.items("id").len() < whole.len());
}

#[tokio::test]
async fn adas_latest_fifty_hold_one_product_that_is_gone() {
    let shop = Shop::open().await;
    let token = shop.user("u_42").await;
    let page = get(&shop, &token, "").await;
    let products = page.items("productId");
    let ids: HashSet<_> = products.iter().cloned().collect();
    let path = format!("/products?ids={}", ids.iter().cloned().collect::<Vec<_>>().join(","));
    let known = shop.get(demo_shop::Service::Catalog, &path).bearer(&token).send().await.items("id");
    let gone: Vec<_> = products.iter().filter(|id| !known.contains(id)).collect();
    assert_eq!(gone, ["p_9001"]);
    assert!(products[..3].iter().all(|id| known.contains(id)));
}

#[tokio::test]
async fn an_order_has_all_its_members() {
    let shop = Shop::open().await;
    let token = shop.user("u_42").await;
    let first = get(&shop, &token, "&limit=1").await;
    let id = first.items("id").swap_remove(0);
    let order = shop.get(Orders, &format!("/orders/{id}")).bearer(&token).send().await.json();
    assert_eq!(order, first.json()["items"][0]);
    let members: HashSet<_> = order.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = [
        "id",
        "userId",
        "productId",
        "quantity",
        "status",
        "totalCents",
        "currency",
        "placedAt",
        "updatedAt",
    ];
    assert_eq!(members, HashSet::from(expected));
    for unknown in ["o_999999", "o_0", "o_01", "nonsense", "..%2Forders"] {
        let answer = shop.get(Orders, &format!("/orders/{unknown}")).bearer(&token).send().await;
        answer.is_problem(404, "not-found");
    }
}

#[tokio::test]
async fn a_query_that_makes_no_sense_is_refused() {
    let shop = Shop::open().await;
    let token = shop.user("u_42").await;
    let products = shop.get(demo_shop::Service::Catalog, "/products?limit=1").bearer(&token).send().await;
    let foreign_cursor = format!("&cursor={}", products.json()["nextCursor"].as_str().unwrap());
    for query in [
        "&limit=0",
        "&limit=201",
        "&limit=-1",
        "&status=lost",
        "&updatedSince=yesterday",
        "&cursor=o_17",
        "&sort=up",
        "&limit=1&limit=2",
        &foreign_cursor,
    ] {
        get(&shop, &token, query).await.is_problem(400, "invalid");
    }
    shop.get(Orders, "/orders").bearer(&token).send().await.is_problem(400, "invalid");
}
