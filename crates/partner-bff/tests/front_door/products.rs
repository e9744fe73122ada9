//! `GET /v1/products` and `GET /v1/products/{id}`.

use serde_json::json;
use test_support::Reply;

use crate::{Bff, body, product};

#[tokio::test]
async fn a_page_of_products() {
    let bff = Bff::start().await;
    let plain = json!({
        "id": "p_8", "name": "茶碗", "description": "", "priceCents": 4200, "currency": "JPY", "imageUrl": null,
        "category": "kitchen", "stock": 0, "rating": null,
    });
    let page = json!({"items": [product("p_7", 4200, "EUR"), plain], "nextCursor": "next"});
    bff.fake.on("GET /products", Reply::Json(page));
    let answer = bff.client().get("/v1/products?q=red%20lamp&category=home&cursor=c1&limit=200").await;
    assert_eq!(answer.status, 200);
    insta::assert_json_snapshot!(body(&answer), @r#"
    {
      "data": [
        {
          "category": "home",
          "description": "It shines.",
          "id": "p_7",
          "image_url": "https://images.example/p_7.webp",
          "name": "Lamp",
          "price": {
            "amount": "42.00",
            "currency": "EUR"
          },
          "rating": 4.5,
          "stock": 12
        },
        {
          "category": "kitchen",
          "description": "",
          "id": "p_8",
          "image_url": null,
          "name": "茶碗",
          "price": {
            "amount": "4200",
            "currency": "JPY"
          },
          "rating": null,
          "stock": 0
        }
      ],
      "page": {
        "next_cursor": "next"
      }
    }
    "#);
    assert_eq!(bff.calls(), ["GET /products?q=red%20lamp&category=home&limit=200&cursor=c1"]);
}

#[tokio::test]
async fn fifty_products_unless_said_otherwise_and_a_last_page() {
    let bff = Bff::start().await;
    bff.fake.on("GET /products", Reply::Json(json!({"items": []})));
    let answer = bff.client().get("/v1/products").await;
    assert_eq!(body(&answer), json!({"data": [], "page": {"next_cursor": null}}));
    assert_eq!(bff.calls(), ["GET /products?limit=50"]);
}

#[tokio::test]
async fn one_product() {
    let bff = Bff::start().await;
    bff.fake.on("GET /products/p_7", Reply::Json(product("p_7", 4200, "KWD")));
    let answer = bff.client().get("/v1/products/p_7").await;
    insta::assert_json_snapshot!(body(&answer), @r#"
    {
      "data": {
        "category": "home",
        "description": "It shines.",
        "id": "p_7",
        "image_url": "https://images.example/p_7.webp",
        "name": "Lamp",
        "price": {
          "amount": "4.200",
          "currency": "KWD"
        },
        "rating": 4.5,
        "stock": 12
      }
    }
    "#);
    assert_eq!(bff.calls(), ["GET /products/p_7?"]);
}

#[tokio::test]
async fn the_catalog_is_asked_in_our_own_name() {
    let bff = Bff::start().await;
    bff.fake.on("GET /products/p_7", Reply::Json(product("p_7", 4200, "EUR")));
    bff.client().get("/v1/products/p_7").await;
    let seen = bff.fake.seen();
    let call = seen.iter().find(|seen| seen.route == "GET /products/p_7").unwrap();
    assert_eq!(call.headers["authorization"], "Bearer catalog.second-token", "the first is the account's");
    assert!(!call.headers.contains_key("x-user-id") && !call.headers.contains_key("x-api-key"));
}

#[tokio::test]
async fn neither_the_key_nor_a_cookie_travels_on() {
    let bff = Bff::start().await;
    bff.fake.on("GET /products/p_7", Reply::Json(product("p_7", 4200, "EUR")));
    let client = bff.client().with("cookie", "__Host-Http-triptych=tpk_cookie_secret");
    assert_eq!(client.get("/v1/products/p_7").await.status, 200);
    client.get("/v1/orders").await;
    let seen = bff.fake.seen();
    assert!(seen.len() >= 4, "two services, and the provider for each: {seen:?}");
    for seen in seen {
        assert!(!seen.headers.contains_key("cookie") && !seen.headers.contains_key("x-api-key"), "{seen:?}");
        let sent = format!("{:?} {} {}", seen.headers, seen.query, String::from_utf8_lossy(&seen.body));
        assert!(!sent.contains("tpk_"), "{sent}");
    }
}
