//! What handlers read, and what a client is told when it cannot be read.

use std::fmt::Write;
use std::num::NonZeroU8;

use axum::Router;
use axum::routing::{get as on_get, post as on_post};
use middleware::{IdempotencyKey, Json, Path, Query};
use serde::{Deserialize, Serialize};

use crate::support::{app, get, post, send};

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Order {
    #[serde(rename = "product/id")]
    product_id: String,
    quantity: NonZeroU8,
    #[serde(default)]
    lines: Vec<Line>,
    ship: Option<Ship>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    unit_price: i64,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
enum Ship {
    Post,
    Drone { height: f32 },
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Page {
    q: String,
    limit: Option<u8>,
    unread: Option<bool>,
    ratio: Option<f64>,
    status: Option<Status>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Placed,
    Paid,
}

#[derive(Deserialize)]
#[serde(try_from = "String")]
struct OrderId(String);

impl TryFrom<String> for OrderId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.starts_with("o_") { Ok(Self(text)) } else { Err("must be o_ and a number") }
    }
}

fn routes() -> Router {
    Router::new()
        .route("/orders", on_post(|Json(order): Json<Order>| async { Json(order) }))
        .route("/search", on_get(|Query(page): Query<Page>| async { Json(page) }))
        .route("/orders/{id}", on_get(|Path(OrderId(id)): Path<OrderId>| async move { id }))
        .route("/number/{n}", on_get(|Path(n): Path<u32>| async move { n.to_string() }))
        .route("/two/{a}/{b}", on_get(|Path(a): Path<String>| async move { a }))
        .route("/any", on_post(|Json(any): Json<serde_json::Value>| async move { any.to_string() }))
        .route("/key", on_post(|key: Option<IdempotencyKey>| async move { format!("{key:?}") }))
        .route(
            "/keyed",
            on_post(|key: IdempotencyKey| async move { key.for_upstream().to_str().unwrap().to_owned() }),
        )
}

#[tokio::test]
async fn a_body_that_fits() {
    let app = app(routes());
    let body =
        r#"{"product/id":"p_1","quantity":2,"lines":[{"unitPrice":5}],"ship":{"drone":{"height":1.5}}}"#;
    for media_type in ["application/json", "Application/JSON; charset=utf-8", "application/merge-patch+json"]
    {
        let request = http::Request::post("/orders").header("content-type", media_type);
        let answer = send(&app, request, body).await;
        assert_eq!(answer.status, 200, "{media_type}");
    }
}

#[tokio::test]
async fn a_body_that_does_not_fit() {
    let app = app(routes());
    let deep = format!(r#"{{"product/id":"p","quantity":1,"lines":{}"#, "[".repeat(10_000));
    let long = format!(r#"{{"product/id":"p","quantity":"{}"}}"#, "x".repeat(10_000));
    let mut table = String::new();
    for body in [
        "{",
        "nonsense",
        r#"{"product/id":"p","quantity":1} {}"#,
        r#"{"product/id":"p","quantity":1,"#,
        &deep,
        "[]",
        r#"{"quantity":1}"#,
        r#"{"product/id":7,"quantity":1}"#,
        r#"{"product/id":"p","quantity":0}"#,
        r#"{"product/id":"p","quantity":1,"lines":{}}"#,
        r#"{"product/id":"p","quantity":1,"lines":[7]}"#,
        r#"{"product/id":"p","quantity":256}"#,
        r#"{"product/id":"p","quantity":1.5}"#,
        &long,
        r#"{"product/id":"p","quantity":1,"quantity":2}"#,
        r#"{"product/id":"p","quantity":1,"extra":1}"#,
        r#"{"product/id":"p","quantity":1,"lines":[{"unitPrice":1},{}]}"#,
        r#"{"product/id":"p","quantity":1,"lines":[{"unitPrice":null}]}"#,
        r#"{"product/id":"p","quantity":1,"ship":"boat"}"#,
        r#"{"product/id":"p","quantity":1,"ship":{"boat":1}}"#,
        r#"{"product/id":"p","quantity":1,"ship":{"drone":{"height":"high"}}}"#,
    ] {
        let answer = send(&app, post("/orders"), body.to_owned()).await;
        let shown: String = body.chars().take(70).collect();
        writeln!(table, "{shown}\n    {} | {}", answer.verdict(), answer.fault()).unwrap();
    }
    insta::assert_snapshot!(table, @r#"
    {
        400 malformed-json | EOF while parsing an object at line 1 column 1.
    nonsense
        400 malformed-json | Expected ident at line 1 column 2.
    {"product/id":"p","quantity":1} {}
        400 malformed-json | Trailing characters at line 1 column 33.
    {"product/id":"p","quantity":1,
        400 malformed-json | EOF while parsing a value at line 1 column 31.
    {"product/id":"p","quantity":1,"lines":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[
        400 invalid-request | /lines/0/0 must be a whole number
    []
        400 invalid-request |  must be an object
    {"quantity":1}
        400 invalid-request | /product~1id is missing
    {"product/id":7,"quantity":1}
        400 invalid-request | /product~1id must be a string
    {"product/id":"p","quantity":0}
        400 invalid-request | /quantity must be a whole number from 1 to 255
    {"product/id":"p","quantity":1,"lines":{}}
        400 invalid-request | /lines must be an array
    {"product/id":"p","quantity":1,"lines":[7]}
        400 invalid-request | /lines/0 must be an object
    {"product/id":"p","quantity":256}
        400 invalid-request | /quantity must be a whole number from 1 to 255
    {"product/id":"p","quantity":1.5}
        400 invalid-request | /quantity must be a whole number from 1 to 255
    {"product/id":"p","quantity":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
        400 invalid-request | /quantity must be a whole number from 1 to 255
    {"product/id":"p","quantity":1,"quantity":2}
        400 invalid-request | /quantity is given more than once
    {"product/id":"p","quantity":1,"extra":1}
        400 invalid-request | /extra is not known, expected one of `product/id`, `quantity`, `lines`, `ship`
    {"product/id":"p","quantity":1,"lines":[{"unitPrice":1},{}]}
        400 invalid-request | /lines/1/unitPrice is missing
    {"product/id":"p","quantity":1,"lines":[{"unitPrice":null}]}
        400 invalid-request | /lines/0/unitPrice must be a whole number
    {"product/id":"p","quantity":1,"ship":"boat"}
        400 invalid-request | /ship must be `post` or `drone`
    {"product/id":"p","quantity":1,"ship":{"boat":1}}
        400 invalid-request | /ship must be `post` or `drone`
    {"product/id":"p","quantity":1,"ship":{"drone":{"height":"high"}}}
        400 invalid-request | /ship/drone/height must be a number
    "#);
}

#[tokio::test]
async fn a_body_of_another_kind() {
    let app = app(routes());
    let plain = || http::Request::post("/orders");
    for (request, expected) in [
        (plain(), "415 unsupported-media-type"),
        (plain().header("content-type", "text/json"), "415 unsupported-media-type"),
        (plain().header("content-type", "application/x+jsonp"), "415 unsupported-media-type"),
        (plain().header("content-type", "application/+json"), "415 unsupported-media-type"),
        (post("/orders").header("content-encoding", "gzip"), "415 unsupported-media-type"),
        (post("/orders").header("content-encoding", "identity"), "400 invalid-request"),
    ] {
        let shown = format!("{request:?}");
        assert_eq!(send(&app, request, "{}").await.verdict(), expected, "{shown}");
    }
    for body in ["[".repeat(10_000), "\u{feff}{}".into(), String::new()] {
        assert_eq!(send(&app, post("/any"), body).await.verdict(), "400 malformed-json");
    }
    let large = send(&app, post("/orders"), " ".repeat(64 * 1024 + 1)).await;
    assert_eq!(large.verdict(), "413 body-too-large");
}

#[tokio::test]
async fn queries() {
    let app = app(routes());
    let long = format!("status={}", "x".repeat(2000));
    let mut table = String::new();
    for query in [
        "q=a%20b+c&limit=5&unread=true&ratio=0.5&status=paid",
        "q=",
        "q=%ff",
        "limit=1",
        "q=a&limit=abc",
        "q=a&limit=",
        "q=a&limit=256",
        "q=a&limit=-1",
        "q=a&unread=yes",
        "q=a&ratio=NaN",
        "q=a&status=lost",
        "q=a&q=b",
        "q=a&admin=1",
        &long,
    ] {
        let answer = send(&app, get(&format!("/search?{query}")), "").await;
        let said = if answer.status.is_success() {
            String::from_utf8(answer.body.to_vec()).unwrap()
        } else {
            answer.fault()
        };
        let shown: String = query.chars().take(70).collect();
        writeln!(table, "{shown}\n    {} | {said}", answer.verdict()).unwrap();
    }
    insta::assert_snapshot!(table, @r#"
    q=a%20b+c&limit=5&unread=true&ratio=0.5&status=paid
        200  | {"q":"a b c","limit":5,"unread":true,"ratio":0.5,"status":"paid"}
    q=
        200  | {"q":"","limit":null,"unread":null,"ratio":null,"status":null}
    q=%ff
        200  | {"q":"�","limit":null,"unread":null,"ratio":null,"status":null}
    limit=1
        400 invalid-request | ?q is missing
    q=a&limit=abc
        400 invalid-request | ?limit must be a whole number from 0 to 255
    q=a&limit=
        400 invalid-request | ?limit must be a whole number from 0 to 255
    q=a&limit=256
        400 invalid-request | ?limit must be a whole number from 0 to 255
    q=a&limit=-1
        400 invalid-request | ?limit must be a whole number from 0 to 255
    q=a&unread=yes
        400 invalid-request | ?unread must be true or false
    q=a&ratio=NaN
        400 invalid-request | ?ratio must be a number
    q=a&status=lost
        400 invalid-request | ?status must be `placed` or `paid`
    q=a&q=b
        400 invalid-request | ?q is given more than once
    q=a&admin=1
        400 invalid-request | ?admin is not known, expected one of `q`, `limit`, `unread`, `ratio`, `status`
    status=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
        400 invalid-request | ?status must be `placed` or `paid`
    "#);
}

#[tokio::test]
async fn paths() {
    let app = app(routes());
    let mut table = String::new();
    for path in [
        "/orders/o_1",
        "/orders/o_%2e%2e%2f",
        "/orders/p_1",
        "/orders/%ff",
        "/number/7",
        "/number/seven",
        "/two/a/b",
    ] {
        let answer = send(&app, get(path), "").await;
        let said = if answer.status.is_success() {
            String::from_utf8(answer.body.to_vec()).unwrap()
        } else {
            answer.fault()
        };
        writeln!(table, "{path} | {} | {said}", answer.verdict()).unwrap();
    }
    insta::assert_snapshot!(table, @r#"
    /orders/o_1 | 200  | o_1
    /orders/o_%2e%2e%2f | 200  | o_../
    /orders/p_1 | 400 invalid-request | {id} must be o_ and a number
    /orders/%ff | 400 invalid-request | The path is not UTF-8.
    /number/7 | 200  | 7
    /number/seven | 400 invalid-request | {n} must be a whole number from 0 to 4294967295
    /two/a/b | 500 internal |
    "#);
}

#[tokio::test]
async fn a_key_is_never_overlooked() {
    let app = app(routes());
    for (path, keys, expected) in [
        ("/key", 0, "200 "),
        ("/keyed", 0, "400 invalid-request"),
        // Nothing makes the write once here, which is our mistake.
        ("/key", 1, "500 internal"),
        ("/keyed", 1, "500 internal"),
        ("/key", 2, "500 internal"),
    ] {
        let request = (0..keys).fold(post(path), |request, n| request.header("idempotency-key", n));
        assert_eq!(send(&app, request, "").await.verdict(), expected, "{path} {keys}");
    }
}
