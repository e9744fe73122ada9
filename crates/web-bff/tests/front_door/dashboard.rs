//! `GET /dashboard` and `POST /notifications/{id}/read`.

use serde_json::{Value, json};
use test_support::Reply;

use crate::Bff;

pub(crate) fn order(id: &str, product: &str) -> Value {
    json!({
        "id": id, "userId": "u_42", "productId": product, "quantity": 1, "status": "shipped",
        "totalCents": 4200, "currency": "KWD",
        "placedAt": "2026-11-20T08:30:00Z", "updatedAt": "2026-11-21T09:00:00Z",
    })
}

pub(crate) fn product(id: &str) -> Value {
    json!({
        "id": id, "name": "Teapot", "description": "Holds tea.", "priceCents": 1999, "currency": "JPY",
        "imageUrl": "https://images.example/p.webp", "category": "kitchen", "stock": 3, "rating": 4.5,
    })
}

pub(crate) fn promo(product: &str) -> Value {
    json!({"id": "promo_1", "title": "Ten off", "productId": product, "discountPercent": 10, "endsAt": "2026-12-01T00:00:00Z"})
}

fn healthy(bff: &Bff, orders: &[Value]) {
    let user = json!({"id": "u_42", "firstName": "Ada", "lastName": "Lovelace", "role": "customer", "avatarUrl": null});
    let billing = json!({
        "plan": "pro", "status": "active", "balanceCents": -1250, "currency": "EUR",
        "nextInvoiceAt": "2026-12-01T00:00:00Z", "paymentMethod": {"brand": "visa", "last4": "4242"},
    });
    let usage = json!({
        "period": {"from": "2026-11-01T00:00:00Z", "to": "2026-12-01T00:00:00Z"}, "ordersPlaced": 3, "apiCalls": 120,
        "apiCallLimit": 1000, "storageBytes": 5_000_000_000_u64, "storageLimitBytes": 10_000_000_000_u64,
    });
    let notifications =
        json!({"items": [{"id": "n_1", "title": "Your order is on its way"}], "unreadCount": 1});
    bff.backend
        .services
        .on("GET /users/u_42", Reply::Json(user))
        .on("GET /accounts/u_42/billing", Reply::Json(billing))
        .on("GET /accounts/u_42/usage", Reply::Json(usage))
        .on("GET /notifications", Reply::Json(notifications))
        .on("GET /orders", Reply::Json(json!({"items": orders, "nextCursor": null})))
        .on("GET /products", Reply::Json(json!({"items": [product("p_1")], "nextCursor": null})))
        .on("GET /promos", Reply::Json(json!({"items": [promo("p_1")]})));
}

#[tokio::test]
async fn the_whole_page_in_one_request() {
    let bff = Bff::start().await;
    healthy(&bff, &[order("o_2", "p_1"), order("o_1", "p_9001")]);
    let answer = bff.client().get("/dashboard").await;
    assert_eq!(answer.status, 200);
    insta::assert_json_snapshot!(answer.json(), @r#"
    {
      "accountSummary": {
        "balance": {
          "amount": "-12.50",
          "currency": "EUR"
        },
        "nextInvoiceAt": "2026-12-01T00:00:00Z",
        "paymentMethod": {
          "brand": "visa",
          "last4": "4242"
        },
        "plan": "pro",
        "status": "active",
        "usage": {
          "apiCallLimit": 1000,
          "apiCalls": 120,
          "from": "2026-11-01T00:00:00Z",
          "ordersPlaced": 3,
          "storageBytes": 5000000000,
          "storageLimitBytes": 10000000000,
          "to": "2026-12-01T00:00:00Z"
        }
      },
      "orders": [
        {
          "id": "o_2",
          "placedAt": "2026-11-20T08:30:00Z",
          "product": {
            "category": "kitchen",
            "description": "Holds tea.",
            "id": "p_1",
            "imageUrl": "https://images.example/p.webp",
            "name": "Teapot",
            "price": {
              "amount": "1999",
              "currency": "JPY"
            },
            "rating": 4.5,
            "stock": 3
          },
          "productId": "p_1",
          "quantity": 1,
          "status": "shipped",
          "total": {
            "amount": "4.200",
            "currency": "KWD"
          },
          "updatedAt": "2026-11-21T09:00:00Z"
        },
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
          "updatedAt": "2026-11-21T09:00:00Z"
        }
      ],
      "promos": [
        {
          "discountPercent": 10,
          "endsAt": "2026-12-01T00:00:00Z",
          "id": "promo_1",
          "productId": "p_1",
          "title": "Ten off"
        }
      ],
      "unreadNotifications": [
        {
          "id": "n_1",
          "title": "Your order is on its way"
        }
      ],
      "user": {
        "id": "u_42",
        "name": "Ada Lovelace",
        "role": "customer"
      },
      "warnings": [
        {
          "message": "This part does not exist any more.",
          "retryable": false,
          "section": "orders.product",
          "status": "not_found"
        }
      ]
    }
    "#);
}

#[tokio::test]
async fn fifty_orders_are_one_call_of_the_catalog() {
    let bff = Bff::start().await;
    let orders: Vec<_> = (0..50).map(|n| order(&format!("o_{n}"), &format!("p_{}", n % 40))).collect();
    healthy(&bff, &orders);
    let products: Vec<_> = (0..40).map(|n| product(&format!("p_{n}"))).collect();
    bff.backend.services.on("GET /products", Reply::Json(json!({"items": products, "nextCursor": null})));
    let body = bff.client().get("/dashboard").await.json();
    assert_eq!((body["orders"].as_array().unwrap().len(), &body["warnings"]), (50, &json!([])));
    assert_eq!(bff.backend.services.seen().len(), 7);
    assert_eq!(bff.backend.services.count("GET /products"), 1);
}

#[tokio::test]
async fn each_section_can_be_lost_alone() {
    let bff = Bff::start().await;
    let orders = [order("o_1", "p_1")];
    for (route, expected, rest) in [
        ("GET /accounts/u_42/billing", "accountSummary", "/accountSummary"),
        ("GET /accounts/u_42/usage", "accountSummary.usage", "/accountSummary/usage"),
        ("GET /notifications", "unreadNotifications", "/unreadNotifications"),
        ("GET /orders", "orders", "/orders"),
        ("GET /products", "orders.product", "/orders/0/product"),
        ("GET /promos", "promos", "/promos"),
    ] {
        healthy(&bff, &orders);
        let mut whole = bff.client().get("/dashboard").await.json();
        bff.backend.services.on(route, Reply::Problem(500, json!({})));
        let answer = bff.client().get("/dashboard").await;
        assert_eq!(answer.status, 200, "{route}");
        let mut body = answer.json();
        assert_eq!(body["warnings"][0]["section"], expected);
        assert_eq!(body["warnings"].as_array().unwrap().len(), 1, "{route}");
        let lost = body.pointer(rest).unwrap();
        assert!(lost.is_null() || lost == &json!([]), "{route}: {lost}");
        for answer in [&mut whole, &mut body] {
            *answer.pointer_mut(rest).unwrap() = Value::Null;
            answer["warnings"] = Value::Null;
        }
        assert_eq!(whole, body, "{route} took something else along");
    }
}

#[tokio::test]
async fn a_page_shows_what_it_has_when_all_that_is_optional_hangs() {
    let bff = Bff::with(&[
        ("BFF__REQUESTS__OPTIONAL_DEADLINE", "200ms"),
        ("BFF__UPSTREAMS__BILLING__TIMEOUT", "2s"),
        ("BFF__UPSTREAMS__CATALOG__TIMEOUT", "2s"),
    ])
    .await;
    healthy(&bff, &[order("o_1", "p_1")]);
    for route in [
        "GET /accounts/u_42/billing",
        "GET /accounts/u_42/usage",
        "GET /notifications",
        "GET /orders",
        "GET /promos",
    ] {
        bff.backend.services.on(route, Reply::Hang);
    }
    let answer = bff.client().get("/dashboard").await;
    let body = answer.json();
    assert_eq!((answer.status.as_u16(), &body["user"]["name"]), (200, &json!("Ada Lovelace")));
    let warnings: Vec<_> = body["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|warning| format!("{} {}", warning["section"], warning["status"]))
        .collect();
    insta::assert_snapshot!(warnings.join("\n"), @r#"
    "accountSummary" "timeout"
    "accountSummary.usage" "timeout"
    "unreadNotifications" "timeout"
    "orders" "timeout"
    "promos" "timeout"
    "#);
}

#[tokio::test]
async fn odd_names_do_not_break_the_page() {
    let bff = Bff::start().await;
    healthy(&bff, &[]);
    for (first, last, expected) in
        [("Ada", "", "Ada"), ("", " Lovelace ", "Lovelace"), (" ", "", "u_42"), ("日本", "太郎", "日本 太郎")]
    {
        let user = json!({"id": "u_42", "firstName": first, "lastName": last, "role": "customer", "avatarUrl": null});
        bff.backend.services.on("GET /users/u_42", Reply::Json(user));
        assert_eq!(bff.client().get("/dashboard").await.json()["user"]["name"], expected);
    }
}

#[tokio::test]
async fn a_notification_is_read() {
    let bff = Bff::start().await;
    bff.backend.services.on("POST /notifications/n_1/read", Reply::Raw(204, vec![], String::new()));
    assert_eq!(bff.client().send(http::Method::POST, "/notifications/n_1/read", None).await.status, 204);
    assert_eq!(bff.client().send(http::Method::POST, "/notifications/n_2/read", None).await.status, 404);
}
