//! How the stand-ins refuse: RFC 9457 problem details of their own.

use std::borrow::Cow;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, StatusCode};
use serde::Serialize;

/// A refusal.
#[derive(Debug)]
pub(crate) struct Problem {
    kind: Kind,
    detail: Option<Cow<'static, str>>,
}

/// One kind of refusal: the end of its type, its status and its title.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind(&'static str, StatusCode, &'static str);

pub(crate) const INVALID: Kind = Kind("invalid", StatusCode::BAD_REQUEST, "The request is not valid");
pub(crate) const UNAUTHENTICATED: Kind =
    Kind("unauthenticated", StatusCode::UNAUTHORIZED, "A valid token is needed");
pub(crate) const FORBIDDEN: Kind = Kind("forbidden", StatusCode::FORBIDDEN, "Not for this caller");
pub(crate) const NOT_FOUND: Kind = Kind("not-found", StatusCode::NOT_FOUND, "There is no such thing");
pub(crate) const METHOD_NOT_ALLOWED: Kind =
    Kind("method-not-allowed", StatusCode::METHOD_NOT_ALLOWED, "Not with this method");
pub(crate) const OUT_OF_STOCK: Kind = Kind("out-of-stock", StatusCode::CONFLICT, "There are not enough left");
pub(crate) const NOT_CANCELLABLE: Kind =
    Kind("order-not-cancellable", StatusCode::CONFLICT, "It is too late to cancel");
pub(crate) const TOO_LARGE: Kind = Kind("too-large", StatusCode::PAYLOAD_TOO_LARGE, "The body is too large");
pub(crate) const UNSUPPORTED: Kind =
    Kind("unsupported-media-type", StatusCode::UNSUPPORTED_MEDIA_TYPE, "The body must be application/json");
pub(crate) const IDEMPOTENCY_MISMATCH: Kind =
    Kind("idempotency-mismatch", StatusCode::UNPROCESSABLE_ENTITY, "The key was used for another request");
pub(crate) const UNKNOWN_PRODUCT: Kind =
    Kind("unknown-product", StatusCode::UNPROCESSABLE_ENTITY, "There is no such product");
pub(crate) const OVERLOADED: Kind = Kind("overloaded", StatusCode::SERVICE_UNAVAILABLE, "Too much to do");

impl Problem {
    /// A refusal of this kind, with nothing to add.
    pub(crate) fn new(kind: Kind) -> Self {
        Self { kind, detail: None }
    }

    /// The request is wrong in the way that the detail tells.
    pub(crate) fn invalid(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(INVALID).detail(detail)
    }

    /// The failure that a fault rule asked for.
    pub(crate) fn injected(status: StatusCode) -> Self {
        let title = status.canonical_reason().unwrap_or("Injected");
        Self::new(Kind("fault", status, title)).detail("A fault was asked for on this path.")
    }

    /// What this occurrence is about.
    #[must_use]
    pub(crate) fn detail(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    fn header(&self) -> Option<(HeaderName, HeaderValue)> {
        match self.kind.1 {
            StatusCode::UNAUTHORIZED => Some((WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))),
            StatusCode::SERVICE_UNAVAILABLE => Some((RETRY_AFTER, HeaderValue::from_static("1"))),
            _ => None,
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Kind(code, status, title) = self.kind;
        let body = Body {
            r#type: format!("urn:shop:problem:{code}"),
            title,
            status: status.as_u16(),
            detail: self.detail.as_deref(),
        };
        let mut response = (status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.extend(self.header());
        response
    }
}

#[derive(Serialize)]
struct Body<'a> {
    r#type: String,
    title: &'static str,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
}
