//! Every error has one form, wherever it comes from.

use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::routing::{get as on_get, post as on_post};
use http::StatusCode;
use middleware::{Path, stack};
use problem::{MEDIA_TYPE, Naming, Problem, kind};

use crate::support::{app, get, post, public_url, send, settings, unobserved};

fn routes() -> Router {
    Router::new()
        .route("/ok", on_get(|| async { "fine" }))
        .route("/panic", on_get(panics))
        .route("/busy", on_get(busy))
        .route("/text/{status}", on_get(text))
        .route("/rendered", on_get(rendered))
        .route("/note", on_post(|note: String| async { note }))
        .nest("/nested", Router::new().route("/ok", on_get(|| async { "fine" })))
}

async fn panics() -> Response {
    panic!("u_42 has no plan");
}

async fn busy() -> Problem {
    Problem::new(kind::UNAVAILABLE)
        .detail("Billing is away.")
        .error("/x", "is y")
        .retry_after(Duration::from_secs(1))
        .caused_by(std::io::Error::other("10.0.0.7 reset the connection"))
}

async fn text(Path(status): Path<u16>) -> Response {
    (StatusCode::from_u16(status).unwrap(), "a page that somebody forgot").into_response()
}

async fn rendered() -> Response {
    let body = r#"{"type":"about:blank"}"#;
    (StatusCode::CONFLICT, [("content-type", MEDIA_TYPE)], body).into_response()
}

#[tokio::test]
async fn an_unknown_route() {
    let answer = send(&app(routes()), get("/nowhere?token=secret"), "").await;
    insta::assert_snapshot!(answer.shown(), @r#"
    404 Not Found
    cache-control: private, no-cache
    content-security-policy: default-src 'none'; frame-ancestors 'none'
    content-type: application/problem+json
    cross-origin-resource-policy: same-origin
    referrer-policy: no-referrer
    vary: Authorization, Cookie, Accept-Encoding
    x-content-type-options: nosniff
    x-request-id: [id]

    {"type":"urn:triptych:problem:not-found","title":"There is nothing here","status":404,"instance":"/nowhere","requestId":"[id]"}
    "#);
}

#[tokio::test]
async fn a_wrong_method_names_the_right_ones() {
    let answer = send(&app(routes()), post("/ok"), "").await;
    insta::assert_snapshot!(answer.shown(), @r#"
    405 Method Not Allowed
    allow: GET,HEAD
    content-length: 180
    content-security-policy: default-src 'none'; frame-ancestors 'none'
    content-type: application/problem+json
    cross-origin-resource-policy: same-origin
    referrer-policy: no-referrer
    x-content-type-options: nosniff
    x-request-id: [id]

    {"type":"urn:triptych:problem:method-not-allowed","title":"The resource does not have this method","status":405,"instance":"/ok","requestId":"[id]"}
    "#);
}

#[tokio::test]
async fn a_handlers_own_problem() {
    let answer = send(&app(routes()), get("/busy"), "").await;
    insta::assert_snapshot!(answer.shown(), @r#"
    503 Service Unavailable
    cache-control: private, no-cache
    content-length: 251
    content-security-policy: default-src 'none'; frame-ancestors 'none'
    content-type: application/problem+json
    cross-origin-resource-policy: same-origin
    referrer-policy: no-referrer
    retry-after: 1
    vary: Authorization, Cookie, Accept-Encoding
    x-content-type-options: nosniff
    x-request-id: [id]

    {"type":"urn:triptych:problem:unavailable","title":"A service behind this one is not available","status":503,"detail":"Billing is away.","instance":"/busy","requestId":"[id]","errors":[{"pointer":"/x","detail":"is y"}]}
    "#);
}

#[tokio::test]
async fn a_panic_is_one_problem_that_tells_nothing() {
    let answer = send(&app(routes()), get("/panic"), "").await;
    insta::assert_snapshot!(answer.shown(), @r#"
    500 Internal Server Error
    cache-control: private, no-cache
    content-length: 167
    content-security-policy: default-src 'none'; frame-ancestors 'none'
    content-type: application/problem+json
    cross-origin-resource-policy: same-origin
    referrer-policy: no-referrer
    vary: Authorization, Cookie, Accept-Encoding
    x-content-type-options: nosniff
    x-request-id: [id]

    {"type":"urn:triptych:problem:internal","title":"Something went wrong on our side","status":500,"instance":"/panic","requestId":"[id]"}
    "#);
}

#[tokio::test]
async fn partners_read_snake_case() {
    let app = stack(
        routes(),
        &settings(),
        &public_url("https://api.example.com/partner"),
        Naming::SnakeCase,
        unobserved(),
    );
    let answer = send(&app, get("/nowhere"), "").await;
    assert_eq!(answer.json()["instance"], "/partner/nowhere");
    assert_eq!(answer.json()["request_id"], answer.header("x-request-id"));
    assert!(answer.json().get("requestId").is_none());
}

#[tokio::test]
async fn other_errors_become_problems_of_their_status() {
    let app = app(routes());
    for (path, expected) in [
        ("/text/400", "400 invalid-request"),
        ("/text/409", "409 conflict"),
        ("/text/418", "418 invalid-request"),
        ("/text/429", "429 too-many-requests"),
        ("/text/500", "500 internal"),
        ("/text/503", "503 unavailable"),
        ("/text/507", "507 internal"),
        ("/text/302", "302 "),
        ("/rendered", "409 blank"),
        ("/nested/nowhere", "404 not-found"),
        ("/nested/ok", "200 "),
        ("/ok/", "404 not-found"),
        ("//", "404 not-found"),
    ] {
        let answer = send(&app, get(path), "").await;
        assert_eq!(answer.verdict(), expected, "{path}");
        assert_eq!(answer.headers.get_all("content-type").iter().count(), 1, "{path}");
    }
}

#[tokio::test]
async fn a_body_over_the_limit() {
    let app = app(routes());
    let chunk = || Ok::<_, std::io::Error>(vec![b'x'; 1024]);
    let chunked =
        |chunks| axum::body::Body::from_stream(futures::stream::iter((0..chunks).map(move |_| chunk())));
    for (body, expected) in [
        (vec![b'x'; 64 * 1024].into(), "200 "),
        (vec![b'x'; 64 * 1024 + 1].into(), "413 body-too-large"),
        (chunked(64), "200 "),
        (chunked(65), "413 body-too-large"),
    ] {
        assert_eq!(send(&app, post("/note"), body).await.verdict(), expected);
    }
}

#[tokio::test]
async fn the_instance_is_cut() {
    let path = format!("/{}", "x".repeat(1000));
    let answer = send(&app(routes()), get(&path), "").await;
    assert_eq!(answer.json()["instance"], path[..256]);
}

#[tokio::test]
async fn a_head_request_gets_the_head_alone() {
    let app = app(routes());
    for (path, status) in [("/ok", 200), ("/busy", 503)] {
        let whole = send(&app, Request::get(path), "").await;
        let head = send(&app, Request::head(path), "").await;
        assert_eq!(head.status, status);
        assert!(head.body.is_empty(), "{path}");
        assert_eq!(head.header("content-length"), whole.body.len().to_string(), "{path}");
        assert_eq!(head.header("etag"), whole.header("etag"), "{path}");
    }
}

#[tokio::test]
async fn more_headers_than_the_gateway_sends_are_a_problem() {
    let app = app(routes());
    for (count, expected) in [(110, "200 "), (111, "431 headers-too-large"), (1000, "431 headers-too-large")]
    {
        let names = (0..count).map(|n| format!("h-{n}"));
        let request = names.fold(get("/ok"), |request, name| request.header(name, "x"));
        let answer = send(&app, request, "").await;
        assert_eq!(answer.verdict(), expected, "{count}");
        assert_eq!(answer.header("x-request-id").len(), 36, "{count}");
    }
}
