//! What is wrong with a request, and what is said about it.

use end_to_end::Kind::{self, Mobile, Partner, Web};
use end_to_end::{Content, System};

use crate::samples::Samples;

/// A request that is refused.
struct Row {
    kind: Kind,
    request: &'static str,
    body: &'static str,
    outcome: &'static str,
    /// The value to blame; empty if none is named.
    pointer: &'static str,
}

const fn row(
    kind: Kind,
    request: &'static str,
    body: &'static str,
    outcome: &'static str,
    pointer: &'static str,
) -> Row {
    Row { kind, request, body, outcome, pointer }
}

const INVALID: &str = "400 invalid-request";
const NOT_FOUND: &str = "404 not-found";
const NO_METHOD: &str = "405 method-not-allowed";
const NOT_JSON: &str = "400 malformed-json";

const ROWS: &[Row] = &[
    // What there is not.
    row(Web, "GET /orders/o_999999", "", NOT_FOUND, ""),
    row(Web, "POST /orders/o_999999/cancel", "", NOT_FOUND, ""),
    row(Web, "GET /products/p_999999", "", NOT_FOUND, ""),
    row(Web, "POST /notifications/n_999999/read", "", NOT_FOUND, ""),
    row(Web, "POST /orders", r#"{"productId": "p_999999", "quantity": 1}"#, "422 unknown-product", ""),
    row(Mobile, "GET /orders/o_999999", "", NOT_FOUND, ""),
    row(Mobile, "GET /products/p_999999", "", NOT_FOUND, ""),
    row(Mobile, "POST /orders", r#"{"productId": "p_999999", "quantity": 1}"#, "422 unknown-product", ""),
    row(Partner, "GET /v1/orders/o_999999", "", NOT_FOUND, ""),
    row(Partner, "GET /v1/products/p_999999", "", NOT_FOUND, ""),
    row(
        Partner,
        "POST /v1/orders",
        r#"{"product_id": "p_999999", "quantity": 1}"#,
        "422 unknown-product",
        "",
    ),
    // Ids that can be none.
    row(Web, "GET /orders/o.1", "", INVALID, "{id}"),
    row(Web, "POST /orders/o.1/cancel", "", INVALID, "{id}"),
    row(Web, "GET /products/p%201", "", INVALID, "{id}"),
    row(Web, "POST /notifications/n,1/read", "", INVALID, "{id}"),
    row(Mobile, "GET /orders/o_1;a=b", "", INVALID, "{id}"),
    row(Mobile, "GET /products/%3F", "", INVALID, "{id}"),
    row(Partner, "GET /v1/orders/%252e%252e", "", INVALID, "{id}"),
    row(Partner, "GET /v1/products/p'1", "", INVALID, "{id}"),
    // Queries.
    row(Web, "GET /orders?page=2", "", INVALID, "?page"),
    row(Web, "GET /orders?cursor=", "", INVALID, "?cursor"),
    row(Web, "GET /orders?cursor=a&cursor=b", "", INVALID, "?cursor"),
    // Well-formed, but none that the list gave out: only the service behind knows.
    row(Web, "GET /orders?cursor=nonsense", "", INVALID, ""),
    row(Web, "GET /products?limit=3", "", INVALID, "?limit"),
    row(Web, "GET /products?cursor=%00", "", INVALID, "?cursor"),
    row(Mobile, "GET /orders?limit=3", "", INVALID, "?limit"),
    row(Mobile, "GET /orders?cursor=%20", "", INVALID, "?cursor"),
    row(Mobile, "GET /products?category=toys", "", INVALID, "?category"),
    row(Partner, "GET /v1/orders?limit=0", "", INVALID, "?limit"),
    row(Partner, "GET /v1/orders?limit=201", "", INVALID, "?limit"),
    row(Partner, "GET /v1/orders?status=lost", "", INVALID, "?status"),
    row(Partner, "GET /v1/orders?updated_since=yesterday", "", INVALID, "?updated_since"),
    row(Partner, "GET /v1/orders?updatedSince=2026-11-22T10:00:00Z", "", INVALID, "?updatedSince"),
    row(Partner, "GET /v1/products?q=", "", INVALID, "?q"),
    // Bodies.
    row(Web, "POST /orders", "{}", INVALID, "/productId"),
    row(Web, "POST /orders", r#"{"productId": "p_7"}"#, INVALID, "/quantity"),
    row(Web, "POST /orders", r#"{"productId": "p_7", "quantity": 0}"#, INVALID, "/quantity"),
    row(Web, "POST /orders", r#"{"productId": "../p_7", "quantity": 1}"#, INVALID, "/productId"),
    row(Web, "POST /orders", r#"{"productId": "p_7", "quantity": 1, "price": 1}"#, INVALID, "/price"),
    row(Web, "POST /orders", r#"{"productId": "p_7", "quantity": 1, "quantity": 2}"#, INVALID, "/quantity"),
    row(Web, "POST /orders", "{", NOT_JSON, ""),
    row(Web, "POST /orders", "[]", INVALID, ""),
    // Within our limits and beyond those of the service behind.
    row(Web, "POST /orders", r#"{"productId": "p_7", "quantity": 101}"#, INVALID, ""),
    row(Mobile, "POST /orders", r#"{"productId": 7, "quantity": 1}"#, INVALID, "/productId"),
    row(Mobile, "POST /orders", r#"{"productId": "p_7", "quantity": -1}"#, INVALID, "/quantity"),
    row(Mobile, "POST /orders", r#"{"product_id": "p_7", "quantity": 1}"#, INVALID, "/product_id"),
    row(Mobile, "POST /orders", "{\"productId\": \"p_7\", \"quantity\": 1} {}", NOT_JSON, ""),
    row(Partner, "POST /v1/orders", r#"{"productId": "p_7", "quantity": 1}"#, INVALID, "/productId"),
    row(Partner, "POST /v1/orders", r#"{"product_id": "p_7", "quantity": 1.5}"#, INVALID, "/quantity"),
    row(Partner, "POST /v1/orders", r#"{"product_id": "p_7", "quantity": 4294967296}"#, INVALID, "/quantity"),
    row(Partner, "POST /v1/orders", "product_id=p_7", NOT_JSON, ""),
    // Paths and methods.
    row(Web, "GET /nowhere", "", NOT_FOUND, ""),
    row(Web, "GET /orders/", "", NOT_FOUND, ""),
    row(Web, "GET /orders/o_1/cancel/it", "", NOT_FOUND, ""),
    row(Mobile, "GET /dashboard", "", NOT_FOUND, ""),
    row(Partner, "GET /orders", "", NOT_FOUND, ""),
    row(Partner, "GET /v2/orders", "", NOT_FOUND, ""),
    row(Partner, "GET /docs/nothing.js", "", NOT_FOUND, ""),
    row(Web, "DELETE /orders", "", NO_METHOD, ""),
    row(Web, "GET /orders/o_1/cancel", "", NO_METHOD, ""),
    row(Web, "PUT /dashboard", "{}", NO_METHOD, ""),
    row(Mobile, "POST /home", "{}", NO_METHOD, ""),
    row(Partner, "PATCH /v1/orders/o_1", "{}", NO_METHOD, ""),
    row(Partner, "POST /docs", "{}", NO_METHOD, ""),
];

#[tokio::test]
async fn what_is_wrong_with_a_request_is_said() {
    let system = System::start().await;
    for row in ROWS {
        let (method, path) = row.request.split_once(' ').expect("a method and a path");
        let content = (!row.body.is_empty()).then(|| Content::json(row.body));
        let answer = system.frontend(row.kind).send(method, path, content).await;
        let what = format!("{} {} {}", row.kind.name(), row.request, row.body);
        assert_eq!(answer.outcome(), row.outcome, "{what}");
        let problem = answer.json();
        let pointer = problem["errors"][0]["pointer"].as_str().unwrap_or_default();
        assert_eq!(pointer, row.pointer, "{what}: {problem}");
        let path = path.split('?').next().unwrap_or_default();
        assert_eq!(problem["instance"], format!("{}{path}", row.kind.prefix()), "{what}");
    }
    let samples = Samples::find(&system).await;
    bodies_that_are_not_read(&system, &samples).await;
    headers_that_are_refused(&system, &samples).await;
    a_head_is_a_get_without_its_body(&system, &samples).await;
}

/// A place where each BFF takes a body, and a good one.
fn orders(kind: Kind, samples: &Samples) -> (&'static str, String) {
    let (path, body) = match kind {
        Web | Mobile => ("/orders", r#"{"productId": "{stocked}", "quantity": 1}"#),
        Partner => ("/v1/orders", r#"{"product_id": "{stocked}", "quantity": 1}"#),
    };
    (path, samples.fill(kind, body))
}

async fn bodies_that_are_not_read(system: &System, samples: &Samples) {
    for kind in Kind::ALL {
        let (path, good) = orders(kind, samples);
        let padded = format!("{good}{}", " ".repeat(64 * 1024));
        for (media_type, body, outcome) in [
            (Some("application/json"), &padded, "413 body-too-large"),
            (Some("text/plain"), &good, "415 unsupported-media-type"),
            (Some("application/x-www-form-urlencoded"), &good, "415 unsupported-media-type"),
            (None, &good, "415 unsupported-media-type"),
            (Some("application/json; charset=utf-8"), &good, "201"),
        ] {
            let content = Some(Content::of(media_type, body.clone()));
            let answer = system.frontend(kind).send("POST", path, content).await;
            assert_eq!(answer.outcome(), outcome, "{} {media_type:?}", kind.name());
        }
        let compressed = system.frontend(kind).with("content-encoding", "gzip");
        let answer = compressed.send("POST", path, Some(Content::json(good.clone()))).await;
        assert_eq!(answer.outcome(), "415 unsupported-media-type", "{} compressed", kind.name());
    }
}

async fn headers_that_are_refused(system: &System, samples: &Samples) {
    let long = "k".repeat(256);
    for kind in Kind::ALL {
        let (path, good) = orders(kind, samples);
        for (name, value, outcome) in [
            ("idempotency-key", "", INVALID),
            ("idempotency-key", "two words", INVALID),
            ("idempotency-key", &long, INVALID),
            ("idempotency-key", &long[..255], "201"),
            ("x-request-timeout-ms", "soon", INVALID),
            ("x-request-timeout-ms", "0", INVALID),
            ("x-request-timeout-ms", "600001", INVALID),
            ("x-request-timeout-ms", "600000", "201"),
        ] {
            let frontend = system.frontend(kind).with(name, value);
            let answer = frontend.send("POST", path, Some(Content::json(good.clone()))).await;
            assert_eq!(answer.outcome(), outcome, "{} {name}: {value}", kind.name());
        }
    }
}

async fn a_head_is_a_get_without_its_body(system: &System, samples: &Samples) {
    for (kind, path) in [(Web, "/orders/{order}"), (Mobile, "/home"), (Partner, "/v1/orders/{order}")] {
        let path = samples.fill(kind, path);
        let get = system.frontend(kind).get(&path).await;
        let head = system.frontend(kind).send("HEAD", &path, None).await;
        for name in ["content-type", "content-length", "etag", "cache-control", "vary"] {
            assert_eq!(head.header(name), get.header(name), "{} {path} {name}", kind.name());
        }
    }
}
