//! Every route: what it is asked, which calls it makes, and what it is without each of them.

use end_to_end::Kind::{self, Mobile, Partner, Web};
use end_to_end::{Answer, Content, Frontend, System};
use serde_json::json;

use crate::samples::Samples;

/// One route, with a request that it answers well.
pub struct Route {
    pub kind: Kind,
    pub method: &'static str,
    /// With `{order}` and the like for what [`Samples`] has.
    pub path: &'static str,
    pub body: &'static str,
    pub status: u16,
    /// Every call of an upstream that it makes, each one once.
    pub calls: &'static [Call],
    /// What is different in each answer, as JSON pointers.
    pub varying: &'static [&'static str],
    /// Whether it wants no credential.
    pub open: bool,
}

/// A call of an upstream.
pub struct Call {
    /// `service METHOD /route/{template}`.
    pub to: &'static str,
    pub lost: Lost,
    /// Whether its answer has a body that could be of a wrong shape.
    pub shaped: bool,
}

/// What the loss of a call is.
pub enum Lost {
    /// The whole answer.
    Everything,
    /// One section, which is warned of, and these values, by JSON pointer in which `*` is every item.
    Section(&'static str, &'static [(&'static str, &'static str)]),
}

pub const ROUTES: &[Route] = &[
    get(
        Web,
        "/dashboard",
        &[
            needs("users GET /users/{id}"),
            wants("billing GET /accounts/{userId}/billing", "accountSummary", &[("/accountSummary", "null")]),
            wants(
                "usage GET /accounts/{userId}/usage",
                "accountSummary.usage",
                &[("/accountSummary/usage", "null")],
            ),
            wants(
                "notifications GET /notifications",
                "unreadNotifications",
                &[("/unreadNotifications", "[]")],
            ),
            wants("orders GET /orders", "orders", &[("/orders", "[]")]),
            wants("catalog GET /products", "orders.product", &[("/orders/*/product", "null")]),
            wants("catalog GET /promos", "promos", &[("/promos", "[]")]),
        ],
    ),
    get(
        Web,
        "/orders",
        &[
            needs("orders GET /orders"),
            wants("catalog GET /products", "orders.product", &[("/orders/*/product", "null")]),
        ],
    ),
    get(
        Web,
        "/orders/{order}",
        &[
            needs("orders GET /orders/{id}"),
            wants("catalog GET /products/{id}", "product", &[("/product", "null")]),
        ],
    ),
    post(
        Web,
        "/orders",
        r#"{"productId": "p_11", "quantity": 2}"#,
        201,
        &[
            needs("orders POST /orders"),
            wants("catalog GET /products/{id}", "product", &[("/product", "null")]),
        ],
    ),
    post(
        Web,
        "/orders/{open}/cancel",
        "",
        200,
        &[
            needs("orders POST /orders/{id}/cancel"),
            wants("catalog GET /products/{id}", "product", &[("/product", "null")]),
        ],
    ),
    get(Web, "/products?q=oak", &[needs("catalog GET /products")]),
    get(
        Web,
        "/products/{product}",
        &[
            needs("catalog GET /products/{id}"),
            wants("catalog GET /products", "related", &[("/related", "[]")]),
            wants("catalog GET /promos", "promo", &[("/promo", "null")]),
        ],
    ),
    post(
        Web,
        "/notifications/{notification}/read",
        "",
        204,
        &[needs("notifications POST /notifications/{id}/read").without_body()],
    ),
    get(
        Mobile,
        "/home",
        &[
            needs("users GET /users/{id}"),
            wants("orders GET /orders", "recentOrders", &[("/recentOrders", "[]")]),
            wants("catalog GET /promos", "promos", &[("/promos", "[]")]),
            wants("notifications GET /notifications", "unread", &[("/unread", "null")]),
        ],
    ),
    get(
        Mobile,
        "/orders",
        &[
            needs("orders GET /orders"),
            wants("catalog GET /products", "orders.productName", &[("/orders/*/productName", "null")]),
        ],
    ),
    get(
        Mobile,
        "/orders/{order}",
        &[
            needs("orders GET /orders/{id}"),
            wants(
                "catalog GET /products/{id}",
                "productName",
                &[("/productName", "null"), ("/imageUrl", "null")],
            ),
        ],
    ),
    post(
        Mobile,
        "/orders",
        r#"{"productId": "p_12", "quantity": 1}"#,
        201,
        &[
            needs("orders POST /orders"),
            wants(
                "catalog GET /products/{id}",
                "productName",
                &[("/productName", "null"), ("/imageUrl", "null")],
            ),
        ],
    ),
    get(Mobile, "/products?q=oak", &[needs("catalog GET /products")]),
    get(
        Mobile,
        "/products/{product}",
        &[
            needs("catalog GET /products/{id}"),
            wants("catalog GET /promos", "discountPercent", &[("/discountPercent", "null")]),
        ],
    ),
    get(Partner, "/v1/products?limit=3", &[needs("catalog GET /products")]),
    get(Partner, "/v1/products/{product}", &[needs("catalog GET /products/{id}")]),
    get(Partner, "/v1/orders?status=delivered", &[needs("orders GET /orders")]),
    get(Partner, "/v1/orders/{order}", &[needs("orders GET /orders/{id}")]),
    post(
        Partner,
        "/v1/orders",
        r#"{"product_id": "p_13", "quantity": 3}"#,
        201,
        &[needs("orders POST /orders")],
    ),
    get(Partner, "/v1/usage", &[needs("usage GET /accounts/{userId}/usage")]),
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
    Call { to, lost: Lost::Everything, shaped: true }
}

const fn wants(
    to: &'static str,
    section: &'static str,
    leaves: &'static [(&'static str, &'static str)],
) -> Call {
    Call { to, lost: Lost::Section(section, leaves), shaped: true }
}

impl Call {
    const fn without_body(self) -> Self {
        Self { shaped: false, ..self }
    }
}

impl Route {
    const fn open(self) -> Self {
        Self { open: true, ..self }
    }

    /// Asks for it through `frontend`.
    pub async fn ask(&self, frontend: &Frontend, samples: &Samples) -> Answer {
        let content = (!self.body.is_empty()).then(|| Content::json(self.body));
        frontend.send(self.method, &samples.fill(self.kind, self.path), content).await
    }

    /// As the OpenAPI document names it: `GET /orders/{id}`.
    pub fn operation(&self) -> String {
        let path = self.path.split('?').next().unwrap_or_default();
        let segments = path.split('/').map(|segment| if segment.starts_with('{') { "{id}" } else { segment });
        format!("{} {}", self.method, segments.collect::<Vec<_>>().join("/"))
    }
}

/// How the route is called in a failure.
impl std::fmt::Display for Route {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {}", self.kind.name(), self.method, self.path)
    }
}

#[tokio::test]
async fn every_route_is_in_the_table_and_makes_just_its_calls() {
    let system = System::start().await;
    for kind in Kind::ALL {
        let mut documented = system.contract(kind).operations();
        let mut tested: Vec<_> =
            ROUTES.iter().filter(|route| route.kind == kind).map(Route::operation).collect();
        documented.sort_unstable();
        tested.sort_unstable();
        assert_eq!(tested, documented, "the routes of {}", kind.name());
    }
    let samples = Samples::find(&system).await;
    for route in ROUTES {
        system.shop.forget_calls().await;
        let answer = route.ask(&system.frontend(route.kind), &samples).await;
        assert_eq!(answer.outcome(), route.status.to_string(), "{route}");
        let calls = json!(system.shop.calls().await);
        let expected: serde_json::Map<_, _> =
            route.calls.iter().map(|call| (call.to.to_owned(), json!(1))).collect();
        assert_eq!(calls, json!(expected), "{route}");
    }
}
