//! `GET /v1/openapi.json`: the contract, for programs.

use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use screen::Problems;

use crate::app::AppState;

/// This document.
#[utoipa::path(
    get, path = "/v1/openapi.json", operation_id = "get_openapi", tag = "documentation", security(()),
    responses((status = 200, description = "The OpenAPI 3.1 document", body = Object), Problems)
)]
pub(crate) async fn get(State(app): State<AppState>) -> Response {
    ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], app.document).into_response()
}
