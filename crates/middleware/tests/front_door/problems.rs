//! Every error has one form, wherever it comes from.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::header::SET_COOKIE;
use axum::response::{IntoResponse, Response};
use axum::routing::{get as on_get, post as on_post};
use http::StatusCode;
use middleware::stack;
use problem::{MEDIA_TYPE, Naming, Problem, kind};

use crate::support::{app, get, post, send, settings};

fn routes() -> Router {
    Router::new()
        .route("/ok", on_get(|| async { "fine" }))
        .route("/panic", on_get(|| async { panic!("u_42 has no plan") as &str }))
        .route("/busy", on_get(busy))
        .route("/text/{status}", on_get(text))
        .route("/rendered", on_get(rendered))
        .route("/order", on_post(|_: String| async { "placed" }))
        .nest("/nested", Router::new().route("/ok", on_get(|| async { "fine" })))
}

async fn busy() -> Problem {
    Problem::new(kind::UNAVAILABLE)
        .detail("Billing is away.")
        .error("/x", "is y")
        .retry_after(Duration::from_secs(1))
        .caused_by(std::io::Error::other("10.0.0.7 reset the connection"))
}

async fn text(axum::extract::RawPathParams { .. }: axum::extract::RawPathParams) -> Response {
    StatusCode::OK.into_response()
}

async fn rendered() -> Response {
    let body = r#"{"type":"about:blank"}"#;
    (StatusCode::CONFLICT, [("content-type", MEDIA_TYPE)], body).into_response()
}

#[tokio::test]
async fn an_unknown_route() {
    let answer = send(&app(routes()), get("/nowhere?token=secret"), "").await;
    insta::assert_snapshot!(answer.shown(), @"");
}

#[tokio::test]
async fn a_wrong_method_names_the_right_ones() {
    let answer = send(&app(routes()), post("/ok"), "").await;
    insta::assert_snapshot!(answer.shown(), @"");
}

#[tokio::test]
async fn a_handlers_own_problem() {
    let answer = send(&app(routes()), get("/busy"), "").await;
    insta::assert_snapshot!(answer.shown(), @"");
}

#[tokio::test]
async fn a_panic_is_one_problem_and_says_nothing() {
    let answer = send(&app(routes()), get("/panic"), "").await;
    insta::assert_snapshot!(answer.shown(), @"");
}
