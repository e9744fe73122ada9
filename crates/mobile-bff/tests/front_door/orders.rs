//! `GET /orders`, `POST /orders`, `GET /orders/{id}`.

use serde_json::{Value, json};
use test_support::Reply;

use crate::Bff;
use crate::home::order;

pub(crate) fn product(id: &str) -> Value {
    json!({
        "id": id, "name": "Teapot", "description": "Holds tea.", "priceCents": 1999, "currency": "EUR",
        "imageUrl": "https://images.example/p.webp", "category": "kitchen", "stock": 3, "rating": 4.5,
    })
}

#[tokio::test]
async fn a_product_that_is_gone_leaves_its_order_in_place() {
    let bff = Bff::start().await;
    let orders = json!({"items": [order("o_2", "p_1", 500, "EUR"), order("o_1", "p_9001", 700, "EUR")], "nextCursor": "c2"});
    bff.backend
        .services
        .on("GET /orders", Reply::Json(orders))
        .on("GET /products", Reply::Json(json!({"items": [product("p_1")], "nextCursor": null})));
    let answer = bff.client().get("/orders?cursor=c1").await;
    insta::assert_json_snapshot!(answer.json(), @r#"
    {
      "nextCursor": "c2",
      "orders": [
        {
          "currency": "EUR",
          "id": "o_2",
          "placedAt": "2026-11-20T08:30:00Z",
          "productName": "Teapot",
          "status": "shipped",
          "total": 5.0
        },
        {
          "currency": "EUR",
          "id": "o_1",
          "placedAt": "2026-11-20T08:30:00Z",
          "productName": null,
          "status": "shipped",
          "total": 7.0
        }
      ],
      "warnings": [
        {
          "message": "This part does not exist any more.",
          "retryable": false,
          "section": "orders.productName",
          "status": "not_found"
        }
      ]
    }
    "#);
    let queries: Vec<_> = bff.backend.services.seen().into_iter().map(|seen| seen.query).collect();
    assert_eq!(queries, ["userId=u_42&limit=20&cursor=c1", "ids=p_1%2Cp_9001"]);
}

#[tokio::test]
async fn one_order_flat() {
    let bff = Bff::start().await;
    bff.backend
        .services
        .on("GET /orders/o_1", Reply::Json(order("o_1", "p_1", 500, "EUR")))
        .on("GET /products/p_1", Reply::Json(product("p_1")));
    let answer = bff.client().get("/orders/o_1").await;
    insta::assert_json_snapshot!(answer.json(), @r#"
    {
      "currency": "EUR",
      "id": "o_1",
      "imageUrl": "https://images.example/p.webp",
      "placedAt": "2026-11-20T08:30:00Z",
      "productId": "p_1",
      "productName": "Teapot",
      "quantity": 1,
      "status": "shipped",
      "total": 5.0,
      "updatedAt": "2026-11-21T09:00:00Z"
    }
    "#);
}

#[tokio::test]
async fn an_order_is_placed_once_under_a_key_that_is_the_callers_alone() {
    let bff = Bff::start().await;
    bff.backend
        .services
        .on(
            "POST /orders",
            Reply::Raw(
                201,
                vec![("content-type", "application/json".into())],
                order("o_9", "p_1", 500, "EUR").to_string(),
            ),
        )
        .on("GET /products/p_1", Reply::Json(product("p_1")));
    let client = bff.client().with("idempotency-key", "k-1");
    let body = json!({"productId": "p_1", "quantity": 2});
    let answer = client.post("/orders", &body).await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("location")),
        (201, "http://127.0.0.1:8080/mobile/orders/o_9")
    );
    assert_eq!(answer.json()["productName"], "Teapot");

    let again = client.post("/orders", &body).await;
    assert_eq!((again.status, &again.body), (answer.status, &answer.body));
    assert_eq!(
        (again.header("idempotency-replayed"), again.header("location")),
        ("true", answer.header("location"))
    );
    let another = client.post("/orders", &json!({"productId": "p_1", "quantity": 3})).await;
    assert_eq!(another.json()["type"], "urn:triptych:problem:idempotency-mismatch");
    let other =
        bff.anonymous().with("authorization", &bff.backend.bearer("u_1")).with("idempotency-key", "k-1");
    other.post("/orders", &body).await;
    let placed: Vec<_> =
        bff.backend.services.seen().into_iter().filter(|seen| seen.route == "POST /orders").collect();
    let key = |n: usize| placed[n].headers["idempotency-key"].to_str().unwrap();
    assert_eq!(placed[0].body, r#"{"productId":"p_1","quantity":2}"#);
    assert_eq!(placed[0].headers["x-request-priority"], "checkout");
    assert_eq!((placed.len(), key(0).len()), (2, 64));
    assert_ne!(key(0), key(1));
}

#[tokio::test]
async fn what_the_shop_refuses_we_refuse() {
    let bff = Bff::start().await;
    for (status, code, expected) in [
        (409, "out-of-stock", "out-of-stock"),
        (422, "unknown-product", "unknown-product"),
        (409, "something-new", "conflict"),
        (403, "forbidden", "forbidden"),
    ] {
        let problem =
            json!({"type": format!("urn:shop:problem:{code}"), "status": status, "detail": "internal words"});
        bff.backend.services.on("POST /orders", Reply::Problem(status, problem));
        let answer = bff.client().post("/orders", &json!({"productId": "p_1", "quantity": 2})).await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.json()["type"], format!("urn:triptych:problem:{expected}"));
        assert!(!answer.json().to_string().contains("internal words"));
    }
}

#[tokio::test]
async fn bad_input_is_named_and_no_service_is_asked() {
    let bff = Bff::start().await;
    let mut answers = vec![];
    for body in [
        r#"{"productId":"p_1","quantity":0}"#,
        r#"{"productId":"../x","quantity":1}"#,
        r#"{"productId":"p_1"}"#,
        r#"{"productId":"p_1","quantity":1,"price":0}"#,
        "{",
        "[]",
    ] {
        let answer = bff.client().send(http::Method::POST, "/orders", Some(body.into())).await;
        answers.push(format!("{body} → {} {}", answer.status.as_u16(), summary(&answer.json())));
    }
    for path in ["/orders?cursor=", "/orders?curser=x", "/orders/..%2Fadmin", "/orders/a%3Fb"] {
        let answer = bff.client().get(path).await;
        answers.push(format!("{path} → {} {}", answer.status.as_u16(), summary(&answer.json())));
    }
    insta::assert_snapshot!(answers.join("\n"), @r#"
    {"productId":"p_1","quantity":0} → 400 "urn:triptych:problem:invalid-request" null "/quantity" "must be a whole number from 1 to 4294967295"
    {"productId":"../x","quantity":1} → 400 "urn:triptych:problem:invalid-request" null "/productId" "must be 1 to 64 letters, digits, '_' or '-'"
    {"productId":"p_1"} → 400 "urn:triptych:problem:invalid-request" null "/quantity" "is missing"
    {"productId":"p_1","quantity":1,"price":0} → 400 "urn:triptych:problem:invalid-request" null "/price" "is not known, expected `productId` or `quantity`"
    { → 400 "urn:triptych:problem:malformed-json" "EOF while parsing an object at line 1 column 1." 
    [] → 400 "urn:triptych:problem:invalid-request" null "" "must be an object"
    /orders?cursor= → 400 "urn:triptych:problem:invalid-request" null "?cursor" "must be the next cursor of an earlier page, unchanged"
    /orders?curser=x → 400 "urn:triptych:problem:invalid-request" null "?curser" "is not known, expected `cursor`"
    /orders/..%2Fadmin → 400 "urn:triptych:problem:invalid-request" null "{id}" "must be 1 to 64 letters, digits, '_' or '-'"
    /orders/a%3Fb → 400 "urn:triptych:problem:invalid-request" null "{id}" "must be 1 to 64 letters, digits, '_' or '-'"
    "#);
    assert!(bff.backend.services.seen().is_empty());
}

fn summary(problem: &Value) -> String {
    let errors = problem["errors"].as_array().cloned().unwrap_or_default();
    let errors: Vec<_> =
        errors.iter().map(|error| format!("{} {}", error["pointer"], error["detail"])).collect();
    format!("{} {} {}", problem["type"], problem["detail"], errors.join("; "))
}
