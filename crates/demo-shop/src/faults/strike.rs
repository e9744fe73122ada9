//! What each mode does.

use std::future::pending;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use http::StatusCode;
use http::header::{CACHE_CONTROL, LOCATION};

use super::broken;
use super::rule::{Mode, Rule};
use crate::problem::Problem;
use service_runtime::ConnectionAbort;

/// Answers in the way of the rule; the handler is only asked where the mode needs a real answer.
pub(super) async fn strike(rule: &Rule, request: Request, next: Next) -> Response {
    tokio::time::sleep(rule.latency()).await;
    match rule.mode {
        Mode::Latency => next.run(request).await,
        Mode::Error => Problem::injected(rule.status()).into_response(),
        Mode::Hang => pending().await,
        Mode::Reset => reset(request.extensions().get()).await,
        Mode::Drip => broken::dripping(),
        Mode::Truncate => broken::truncated(),
        Mode::Html => {
            Html("<!doctype html><title>Sign in</title><p>This is not what you came for.").into_response()
        }
        Mode::Oversize => broken::oversize(),
        Mode::WrongShape => broken::wrong_shape(next.run(request).await).await,
        Mode::Redirect => (StatusCode::FOUND, [(LOCATION, "http://127.0.0.1:1/elsewhere")]).into_response(),
        Mode::Expired => ([(CACHE_CONTROL, "max-age=0")], next.run(request).await).into_response(),
    }
}

/// Ends the connection under the request, which is dropped with it.
async fn reset(connection: Option<&ConnectionAbort>) -> Response {
    if let Some(connection) = connection {
        connection.abort();
    }
    pending().await
}
