use std::collections::HashSet;

use demo_shop::Service::Catalog;
use serde_json::json;

use crate::client::{Answer, Shop};

async fn get(shop: &Shop, token: &str, path: &str) -> Answer {
    shop.get(Catalog, path).bearer(token).send().await
}

#[tokio::test]
async fn pages_hold_every_product_once() {
    let shop = Shop::open().await;
    let token = shop.client("web-bff").await;
    let (mut ids, mut path) = (vec![], "/products?limit=7".to_owned());
    loop {
        let page = get(&shop, &token, &path).await;
        ids.extend(page.items("id"));
        match page.json()["nextCursor"].as_str() {
            Some(cursor) => path = format!("/products?limit=7&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(ids, (1..=500).map(|n| format!("p_{n}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_product_has_all_its_members() {
    let shop = Shop::open().await;
    let token = shop.client("web-bff").await;
    let product = get(&shop, &token, "/products/p_1").await.json();
    let members: Vec<_> = product.as_object().unwrap().keys().cloned().collect();
    let expected =
        ["category", "currency", "description", "id", "imageUrl", "name", "priceCents", "rating", "stock"];
    assert_eq!(members.iter().collect::<HashSet<_>>(), expected.map(str::to_owned).iter().collect());
    assert_eq!((&product["priceCents"], &product["currency"]), (&json!(4200), &json!("EUR")));
    get(&shop, &token, "/products/p_501").await.is_problem(404, "not-found");
    get(&shop, &token, "/products/p_9001").await.is_problem(404, "not-found");
}

#[tokio::test]
async fn a_batch_holds_what_there_is() {
    let shop = Shop::open().await;
    let token = shop.client("web-bff").await;
    let batch = get(&shop, &token, "/products?ids=p_7,p_9001,p_3,nonsense,,p_500").await;
    assert_eq!(batch.items("id"), ["p_7", "p_3", "p_500"]);
    let ids = |count: usize| (1..=count).map(|n| format!("p_{n}")).collect::<Vec<_>>().join(",");
    let hundred = get(&shop, &token, &format!("/products?ids={}", ids(100))).await;
    assert_eq!(hundred.items("id").len(), 100);
    get(&shop, &token, &format!("/products?ids={}", ids(101))).await.is_problem(400, "invalid");
}

#[tokio::test]
async fn a_search_finds_by_word_and_category() {
    let shop = Shop::open().await;
    let token = shop.client("web-bff").await;
    let found = get(&shop, &token, "/products?q=TEAPOT&limit=200").await;
    assert!(!found.items("id").is_empty());
    assert!(found.items("name").iter().all(|name| name.contains("Teapot")));
    let shelf = get(&shop, &token, "/products?category=books%20%26%20games&limit=200").await;
    assert!(shelf.items("category").iter().all(|category| category == "books & games"));
    assert!(shelf.items("id").len() > 20);
    assert_eq!(
        get(&shop, &token, "/products?q=unobtainium").await.json(),
        json!({"items": [], "nextCursor": null})
    );
}

#[tokio::test]
async fn promos_run() {
    let shop = Shop::open().await;
    let promos = get(&shop, &shop.client("web-bff").await, "/promos").await;
    assert!(promos.items("productId").len() >= 2);
}

#[tokio::test]
async fn a_query_that_makes_no_sense_is_refused() {
    let shop = Shop::open().await;
    let token = shop.client("web-bff").await;
    for query in
        ["limit=0", "limit=201", "limit=x", "limit=", "cursor=x", "cursor=", "colour=red", "ids=p_1&q=a"]
    {
        let answer = get(&shop, &token, &format!("/products?{query}")).await;
        answer.is_problem(400, "invalid");
        assert!(answer.json()["detail"].as_str().is_some_and(|detail| detail.len() > 10), "{query}");
    }
}
