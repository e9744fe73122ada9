//! The table.

use end_to_end::Kind::{self, Mobile, Partner, Web};

use super::{Call, Lost, Route};

#[rustfmt::skip] // A route is a row, and a call is a line in it.
pub(crate) static ROUTES: &[Route] = &[
    get(Web, "/dashboard", &[
        needs("users GET /users/{id}"),
        likes("billing GET /accounts/{userId}/billing", "accountSummary", &[("/accountSummary", "null")]),
        likes("usage GET /accounts/{userId}/usage", "accountSummary.usage", &[("/accountSummary/usage", "null")]),
        wants("notifications GET /notifications", "unreadNotifications", &[("/unreadNotifications", "[]")]),
        wants("orders GET /orders", "orders", &[("/orders", "[]")]),
        likes("catalog GET /products", "orders.product", &[("/orders/*/product", "null")]),
        likes("catalog GET /promos", "promos", &[("/promos", "[]")]),
    ]),
    get(Web, "/orders", &[
        needs("orders GET /orders"),
        likes("catalog GET /products", "orders.product", &[("/orders/*/product", "null")]),
    ]),
    get(Web, "/orders/{order}", &[
        needs("orders GET /orders/{id}"),
        likes("catalog GET /products/{id}", "product", &[("/product", "null")]),
    ]),
    post(Web, "/orders", r#"{"productId": "{stocked}", "quantity": 2}"#, 201, &[
        needs("orders POST /orders"),
        likes("catalog GET /products/{id}", "product", &[("/product", "null")]),
    ]),
    post(Web, "/orders/{open}/cancel", "", 200, &[
        needs("orders POST /orders/{id}/cancel"),
        likes("catalog GET /products/{id}", "product", &[("/product", "null")]),
    ]),
    get(Web, "/products?q=oak", &[needs("catalog GET /products")]),
    get(Web, "/products/{product}", &[
        needs("catalog GET /products/{id}"),
        likes("catalog GET /products", "related", &[("/related", "[]")]),
        likes("catalog GET /promos", "promo", &[("/promo", "null")]),
    ]),
    post(Web, "/notifications/{notification}/read", "", 204, &[
        needs("notifications POST /notifications/{id}/read").without_body(),
    ]),

    get(Mobile, "/home", &[
        needs("users GET /users/{id}"),
        wants("orders GET /orders", "recentOrders", &[("/recentOrders", "[]")]),
        likes("catalog GET /promos", "promos", &[("/promos", "[]")]),
        wants("notifications GET /notifications", "unread", &[("/unread", "null")]),
    ]),
    get(Mobile, "/orders", &[
        needs("orders GET /orders"),
        likes("catalog GET /products", "orders.productName", &[("/orders/*/productName", "null")]),
    ]),
    get(Mobile, "/orders/{order}", &[
        needs("orders GET /orders/{id}"),
        likes("catalog GET /products/{id}", "productName", &[("/productName", "null"), ("/imageUrl", "null")]),
    ]),
    post(Mobile, "/orders", r#"{"productId": "{stocked}", "quantity": 1}"#, 201, &[
        needs("orders POST /orders"),
        likes("catalog GET /products/{id}", "productName", &[("/productName", "null"), ("/imageUrl", "null")]),
    ]),
    get(Mobile, "/products?q=oak", &[needs("catalog GET /products")]),
    get(Mobile, "/products/{product}", &[
        needs("catalog GET /products/{id}"),
        likes("catalog GET /promos", "discountPercent", &[("/discountPercent", "null")]),
    ]),

    get(Partner, "/v1/products?limit=3", &[needs("catalog GET /products")]),
    get(Partner, "/v1/products/{product}", &[needs("catalog GET /products/{id}")]),
    get(Partner, "/v1/orders?status=delivered", &[needs("orders GET /orders")]),
    get(Partner, "/v1/orders/{order}", &[needs("orders GET /orders/{id}")]),
    post(Partner, "/v1/orders", r#"{"product_id": "{stocked}", "quantity": 3}"#, 201, &[needs("orders POST /orders")]),
    get(Partner, "/v1/usage", &[needs("usage GET /accounts/{userId}/usage")])
        .varying(&["/data/rate_limit/remaining", "/data/rate_limit/resets_in_seconds"]),
    get(Partner, "/v1/openapi.json", &[]).open(),
    get(Partner, "/docs", &[]).open(),
];

const fn get(kind: Kind, path: &'static str, calls: &'static [Call]) -> Route {
    Route { kind, method: "GET", path, body: "", status: 200, calls, varying: &[], open: false }
}

/// A write. What it makes has a new id and new times, and less is left in stock.
const fn post(
    kind: Kind,
    path: &'static str,
    body: &'static str,
    status: u16,
    calls: &'static [Call],
) -> Route {
    let varying = match kind {
        Partner => &["/data/id", "/data/placed_at", "/data/updated_at"] as &[_],
        Web | Mobile => &["/id", "/placedAt", "/updatedAt", "/product/stock"],
    };
    Route { kind, method: "POST", path, body, status, calls, varying, open: false }
}

const fn needs(to: &'static str) -> Call {
    Call { to, lost: Lost::Everything, shaped: true, old: false }
}

const fn wants(
    to: &'static str,
    section: &'static str,
    leaves: &'static [(&'static str, &'static str)],
) -> Call {
    Call { to, lost: Lost::Section(section, leaves), shaped: true, old: false }
}

/// As [`wants`], and an old one is better than none.
const fn likes(
    to: &'static str,
    section: &'static str,
    leaves: &'static [(&'static str, &'static str)],
) -> Call {
    Call { old: true, ..wants(to, section, leaves) }
}

impl Call {
    const fn without_body(self) -> Self {
        Self { shaped: false, ..self }
    }
}

impl Route {
    const fn varying(self, pointers: &'static [&'static str]) -> Self {
        Self { varying: pointers, ..self }
    }

    const fn open(self) -> Self {
        Self { open: true, ..self }
    }
}
