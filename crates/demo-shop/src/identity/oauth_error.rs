//! How the provider refuses a client.

use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde_json::json;

/// An error of RFC 6749 §5.2: its code, and a sentence for whoever reads it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refused(StatusCode, &'static str, &'static str);

pub(super) const INVALID_CLIENT: Refused =
    Refused(StatusCode::UNAUTHORIZED, "invalid_client", "no such client, or another secret");

impl Refused {
    pub(super) const fn new(error: &'static str, description: &'static str) -> Self {
        Self(StatusCode::BAD_REQUEST, error, description)
    }

    pub(super) const fn malformed(description: &'static str) -> Self {
        Self::new("invalid_request", description)
    }

    pub(super) const fn invalid_grant(description: &'static str) -> Self {
        Self::new("invalid_grant", description)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let Self(status, error, description) = self;
        let body = axum::Json(json!({ "error": error, "error_description": description }));
        let mut response = (status, [(CACHE_CONTROL, "no-store")], body).into_response();
        if status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Basic realm=\"demo-shop\"");
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        response
    }
}
