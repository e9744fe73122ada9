//! Tags, caching rules and compression.

use axum::Extension;
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::routing::get as on_get;
use futures::stream;
use middleware::{Json, Path};
use problem::Timeless;
use serde_json::json;

use crate::support::{app, get, send};

fn routes() -> Router {
    Router::new()
        .route("/small", on_get(|| async { Json(json!({"id": "o_1"})) }).post(|| async { "placed" }))
        .route("/large", on_get(|| async { "large ".repeat(1000) }).post(|| async { "large ".repeat(1000) }))
        .route("/own", on_get(own))
        .route("/aged/{seconds}", on_get(aged).post(aged))
        .route("/streamed", on_get(streamed))
        .route("/empty", on_get(|| async {}))
        .route("/gone", on_get(|| async { http::StatusCode::GONE }))
}

async fn own() -> impl IntoResponse {
    let headers = [
        ("etag", "\"v7\""),
        ("cache-control", "public, max-age=60"),
        ("vary", "Accept-Language"),
        ("content-security-policy", "default-src 'self'"),
        ("x-content-type-options", "sniff"),
    ];
    (headers, "page")
}

async fn aged(Path(seconds): Path<u64>) -> impl IntoResponse {
    (Extension(Timeless(r#"{"stock":3}"#.into())), Json(json!({"stock": 3, "ageSeconds": seconds})))
}

async fn streamed() -> Response {
    let parts = ["a", "b"].map(Ok::<_, std::io::Error>);
    Body::from_stream(stream::iter(parts)).into_response()
}

#[tokio::test]
async fn a_read() {
    let answer = send(&app(routes()), get("/small"), "").await;
    insta::assert_snapshot!(answer.shown(), @r#"
    200 OK
    cache-control: private, no-cache
    content-length: 12
    content-security-policy: default-src 'none'; frame-ancestors 'none'
    content-type: application/json
    cross-origin-resource-policy: same-origin
    etag: W/"de9b53b7061a315d6f97fe7567ec9d1c"
    referrer-policy: no-referrer
    vary: Authorization, Cookie, Accept-Encoding
    x-content-type-options: nosniff
    x-request-id: [id]

    {"id":"o_1"}
    "#);
}

#[tokio::test]
async fn a_read_that_did_not_change() {
    let app = app(routes());
    let tag = send(&app, get("/small"), "").await.header("etag").to_owned();
    let answer = send(&app, get("/small").header("if-none-match", tag), "").await;
    insta::assert_snapshot!(answer.shown(), @r#"
    304 Not Modified
    cache-control: private, no-cache
    content-security-policy: default-src 'none'; frame-ancestors 'none'
    cross-origin-resource-policy: same-origin
    etag: W/"de9b53b7061a315d6f97fe7567ec9d1c"
    referrer-policy: no-referrer
    vary: Authorization, Cookie, Accept-Encoding
    x-content-type-options: nosniff
    x-request-id: [id]
    "#);
}

#[tokio::test]
async fn a_write() {
    let answer = send(&app(routes()), Request::post("/small"), "").await;
    insta::assert_snapshot!(answer.shown(), @r#"
    200 OK
    content-length: 6
    content-security-policy: default-src 'none'; frame-ancestors 'none'
    content-type: text/plain; charset=utf-8
    cross-origin-resource-policy: same-origin
    referrer-policy: no-referrer
    x-content-type-options: nosniff
    x-request-id: [id]

    placed
    "#);
}

#[tokio::test]
async fn what_a_handler_set_is_kept() {
    let answer = send(&app(routes()), get("/own"), "").await;
    insta::assert_snapshot!(answer.shown(), @r#"
    200 OK
    cache-control: public, max-age=60
    content-length: 4
    content-security-policy: default-src 'self'
    content-type: text/plain; charset=utf-8
    cross-origin-resource-policy: same-origin
    etag: "v7"
    referrer-policy: no-referrer
    vary: Accept-Language
    x-content-type-options: nosniff
    x-request-id: [id]

    page
    "#);
}

#[tokio::test]
async fn only_a_read_that_succeeded_is_not_modified() {
    let app = app(routes());
    let large = send(&app, get("/large"), "").await.header("etag").to_owned();
    let strong = large.trim_start_matches("W/").to_owned();
    for (method, path, lines, expected) in [
        ("GET", "/large", vec![&*large], 304),
        ("HEAD", "/large", vec![&large], 304),
        ("GET", "/large", vec![&strong], 304),
        ("GET", "/large", vec!["\"other\"", &large], 304),
        ("GET", "/large", vec!["\"other\""], 200),
        ("GET", "/large", vec!["*"], 304),
        ("GET", "/own", vec!["W/\"v7\""], 304),
        ("GET", "/empty", vec!["*"], 304),
        ("GET", "/streamed", vec!["*"], 200),
        ("POST", "/large", vec!["*"], 200),
        ("GET", "/gone", vec!["*"], 410),
        ("GET", "/nowhere", vec!["*"], 404),
    ] {
        let mut request = Request::builder().method(method).uri(path);
        for line in &lines {
            request = request.header("if-none-match", *line);
        }
        let answer = send(&app, request, "").await;
        assert_eq!(answer.status, expected, "{method} {path} {lines:?}");
        if expected == 304 {
            assert!(answer.body.is_empty());
            assert!(
                !answer.headers.keys().any(|name| matches!(name.as_str(), "content-length" | "content-type"))
            );
            assert!(answer.headers.contains_key("etag"));
        }
    }
}

#[tokio::test]
async fn what_only_grew_older_did_not_change() {
    let app = app(routes());
    let first = send(&app, get("/aged/59"), "").await;
    assert_eq!(first.json()["ageSeconds"], 59);
    let again = send(&app, get("/aged/60").header("if-none-match", first.header("etag")), "").await;
    assert_eq!((again.status.as_u16(), again.header("etag")), (304, first.header("etag")));
    let written = send(&app, Request::post("/aged/60"), "").await;
    assert_eq!((written.status.as_u16(), written.header("etag")), (200, ""));
}

#[tokio::test]
async fn codings() {
    let app = app(routes());
    for (path, accepted, expected) in [
        ("/large", "gzip, br, zstd", "200  zstd"),
        ("/large", "gzip, br", "200  br"),
        ("/large", "gzip", "200  gzip"),
        ("/large", "zstd;q=0.1, gzip", "200  gzip"),
        ("/large", "deflate", "200  "),
        ("/large", "", "200  "),
        ("/small", "gzip", "200  "),
        ("/large", "identity;q=0", "406 not-acceptable "),
        ("/large", "*;q=0", "406 not-acceptable "),
        ("/large", "gzip, identity;q=0", "200  gzip"),
        ("/nowhere", "identity;q=0", "406 not-acceptable "),
    ] {
        let answer = send(&app, get(path).header("accept-encoding", accepted), "").await;
        let shown = format!("{} {}", answer.verdict(), answer.header("content-encoding"));
        assert_eq!(shown, expected, "{path} {accepted}");
        assert_eq!(answer.header("vary"), "Authorization, Cookie, Accept-Encoding", "{path} {accepted}");
    }
}

#[tokio::test]
async fn a_tag_is_the_same_in_every_coding() {
    let app = app(routes());
    let plain = send(&app, get("/large"), "").await;
    let small = send(&app, get("/large").header("accept-encoding", "zstd"), "").await;
    assert!(small.body.len() < plain.body.len() / 10);
    assert_eq!(small.header("etag"), plain.header("etag"));
    let again = get("/large").header("accept-encoding", "zstd").header("if-none-match", small.header("etag"));
    let again = send(&app, again, "").await;
    assert_eq!((again.status.as_u16(), again.body.len(), again.header("content-encoding")), (304, 0, ""));
}

#[tokio::test]
async fn a_write_is_never_refused_for_its_coding() {
    let request = Request::post("/large").header("accept-encoding", "identity;q=0");
    let answer = send(&app(routes()), request, "").await;
    assert_eq!((answer.status.as_u16(), answer.header("content-encoding")), (200, ""));
}

#[tokio::test]
async fn a_streamed_answer_arrives_whole_and_has_no_tag() {
    let answer = send(&app(routes()), get("/streamed"), "").await;
    assert_eq!((&answer.body[..], answer.header("etag")), (&b"ab"[..], ""));
}
