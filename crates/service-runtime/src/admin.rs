//! The admin listener's routes: `/livez`, `/readyz`, `/metrics`, and behind the admin token `/config` and what the
//! service adds.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde_json::json;

use crate::Telemetry;
use crate::drain::{Phase, Progress};
use crate::run::Plan;
use crate::settings::Secret;

/// Of Prometheus' metrics.
const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

pub(crate) fn router(plan: &Plan, progress: Progress, telemetry: Telemetry, own: Router) -> Router {
    let config: Arc<str> = plan.config.as_str().into();
    let token = plan.admin.token.clone().map(Arc::new);
    let guarded = Router::new()
        .route("/config", get(async move || ([(CONTENT_TYPE, "application/json")], config.to_string())))
        .merge(own)
        .route_layer(middleware::from_fn_with_state(token, guard));
    Router::new()
        .route("/livez", get(async || Json(json!({"status": "live"}))))
        .route("/readyz", get(readyz).with_state(progress))
        .route("/metrics", get(async move || ([(CONTENT_TYPE, TEXT_FORMAT)], telemetry.scrape())))
        .merge(guarded)
        .fallback(async || StatusCode::NOT_FOUND)
}

/// Fails only while starting or draining: an upstream that is lost must not take the whole fleet out.
async fn readyz(State(progress): State<Progress>) -> (StatusCode, Json<serde_json::Value>) {
    let (status, word) = match progress.phase() {
        Phase::Starting => (StatusCode::SERVICE_UNAVAILABLE, "starting"),
        Phase::Ready => (StatusCode::OK, "ready"),
        Phase::Draining => (StatusCode::SERVICE_UNAVAILABLE, "draining"),
    };
    (status, Json(json!({"status": word})))
}

/// Without a token in the settings the guarded routes do not exist.
async fn guard(State(token): State<Option<Arc<Secret>>>, request: Request, next: Next) -> Response {
    let Some(token) = token else {
        return StatusCode::NOT_FOUND.into_response();
    };
    if request.headers().get(AUTHORIZATION).is_some_and(|value| bears(value, &token)) {
        return next.run(request).await;
    }
    (StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, "Bearer")]).into_response()
}

fn bears(authorization: &HeaderValue, token: &Secret) -> bool {
    let value = authorization.as_bytes();
    value.split_at_checked("bearer ".len()).is_some_and(|(scheme, candidate)| {
        scheme.eq_ignore_ascii_case(b"bearer ") && token.matches(candidate)
    })
}
