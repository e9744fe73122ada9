//! `GET /products` and `GET /products/{id}`.

use serde_json::{Value, json};
use test_support::Reply;

use crate::Bff;
use crate::dashboard::{product, promo};

fn ids(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(|item| item["id"].as_str()).collect()
}

#[tokio::test]
async fn a_product_what_is_like_it_and_what_is_off_its_price() {
    let bff = Bff::start().await;
    let like_it: Vec<_> = ["p_1", "p_2", "p_3", "p_4", "p_5"].map(product).into();
    bff.backend
        .services
        .on("GET /products/p_3", Reply::Json(product("p_3")))
        .on("GET /products", Reply::Json(json!({"items": like_it})))
        .on("GET /promos", Reply::Json(json!({"items": [promo("p_1"), promo("p_3")]})));
    let answer = bff.client().get("/products/p_3").await.json();
    assert_eq!(ids(&answer["related"]), ["p_1", "p_2", "p_4", "p_5"]);
    assert_eq!(answer["promo"]["productId"], "p_3");
    assert_eq!(answer["product"]["price"], json!({"amount": "1999", "currency": "JPY"}));
    assert_eq!(answer["warnings"], json!([]));
}

#[tokio::test]
async fn a_product_without_the_rest_of_its_page() {
    let bff = Bff::start().await;
    bff.backend
        .services
        .on("GET /products/p_3", Reply::Json(product("p_3")))
        .on("GET /products", Reply::Reset)
        .on("GET /promos", Reply::Reset);
    let answer = bff.client().get("/products/p_3").await;
    assert_eq!(answer.status, 200);
    let mut sections: Vec<_> = answer.json()["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|warning| warning["section"].to_string())
        .collect();
    sections.sort();
    assert_eq!(sections, [r#""promo""#, r#""related""#]);
}

#[tokio::test]
async fn what_the_shop_has_of_a_kind() {
    let bff = Bff::start().await;
    bff.backend
        .services
        .on("GET /products", Reply::Json(json!({"items": [product("p_1")], "nextCursor": "c2"})));
    let answer = bff.client().get("/products?q=tea&category=kitchen%20%26%20home&cursor=c1").await.json();
    assert_eq!((ids(&answer["products"]), &answer["nextCursor"]), (vec!["p_1"], &json!("c2")));
    assert_eq!(
        bff.backend.services.seen()[0].query,
        "q=tea&category=kitchen%20%26%20home&limit=50&cursor=c1"
    );
}
