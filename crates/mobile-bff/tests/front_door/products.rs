//! `GET /products` and `GET /products/{id}`.

use serde_json::json;
use test_support::Reply;

use crate::Bff;
use crate::orders::product;

#[tokio::test]
async fn what_the_shop_has() {
    let bff = Bff::start().await;
    bff.backend
        .services
        .on("GET /products", Reply::Json(json!({"items": [product("p_1")], "nextCursor": "c2"})));
    let answer = bff.client().get("/products?q=tea%26pot").await;
    insta::assert_json_snapshot!(answer.json(), @r#"
    {
      "nextCursor": "c2",
      "products": [
        {
          "currency": "EUR",
          "id": "p_1",
          "imageUrl": "https://images.example/p.webp",
          "name": "Teapot",
          "price": 19.99,
          "rating": 4.5
        }
      ]
    }
    "#);
    assert_eq!(bff.backend.services.seen()[0].query, "q=tea%26pot&limit=20");
    assert!(bff.backend.services.seen()[0].headers.get("x-user-id").is_none());
}

#[tokio::test]
async fn one_product_and_what_is_off_its_price() {
    let bff = Bff::start().await;
    let promo = json!({"id": "promo_1", "title": "Ten off", "productId": "p_1", "discountPercent": 10, "endsAt": "2026-12-01T00:00:00Z"});
    bff.backend
        .services
        .on("GET /products/p_1", Reply::Json(product("p_1")))
        .on("GET /promos", Reply::Json(json!({"items": [promo]})));
    let answer = bff.client().get("/products/p_1").await;
    insta::assert_json_snapshot!(answer.json(), @r#"
    {
      "currency": "EUR",
      "description": "Holds tea.",
      "discountPercent": 10,
      "id": "p_1",
      "imageUrl": "https://images.example/p.webp",
      "inStock": true,
      "name": "Teapot",
      "price": 19.99,
      "rating": 4.5
    }
    "#);
}

#[tokio::test]
async fn a_product_that_nobody_knows() {
    let bff = Bff::start().await;
    bff.backend.services.on("GET /promos", Reply::Json(json!({"items": []})));
    let answer = bff.client().get("/products/p_0").await;
    assert_eq!(
        (answer.status.as_u16(), &answer.json()["type"]),
        (404, &json!("urn:triptych:problem:not-found"))
    );
}
