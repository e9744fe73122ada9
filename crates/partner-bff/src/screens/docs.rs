//! `GET /docs`: the contract, for people. Works without any other server, behind any prefix.

use std::borrow::Cow;
use std::sync::Arc;

use axum::http::HeaderValue;
use axum::http::header::{CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{Html, IntoResponse, Response};
use bytes::Bytes;
use middleware::Path;
use screen::{Problem, Problems, kind};
use utoipa_swagger_ui::Config;

/// Every URL in it is relative to its own, so that it needs to know no prefix.
const PAGE: &str = include_str!("docs/page.html");
const START: &str = include_str!("docs/start.js");

/// What the page may do: load its own files, show the icons inside its style sheet, and call this API.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

const JAVASCRIPT: HeaderValue = HeaderValue::from_static("text/javascript; charset=utf-8");
const GZIP: HeaderValue = HeaderValue::from_static("gzip");
const CSS: HeaderValue = HeaderValue::from_static("text/css; charset=utf-8");

/// This document as a page for people.
#[utoipa::path(
    get, path = "/docs", operation_id = "get_docs", tag = "documentation", security(()),
    responses((status = 200, description = "The page", body = String, content_type = "text/html"), Problems)
)]
pub(crate) async fn page() -> Response {
    ([(CONTENT_SECURITY_POLICY, POLICY)], Html(PAGE)).into_response()
}

/// `GET /docs/{file}`: what the page loads.
pub(crate) async fn file(Path(name): Path<String>) -> Result<Response, Problem> {
    match name.as_str() {
        "start.js" => Ok(([(CONTENT_TYPE, JAVASCRIPT)], START).into_response()),
        "swagger-ui-bundle.js" => swagger_ui(&name, JAVASCRIPT),
        "swagger-ui.css" => swagger_ui(&name, CSS),
        _ => Err(Problem::new(kind::NOT_FOUND)),
    }
}

/// A file of Swagger UI, in gzip as it was built: every browser reads it, and nobody compresses it again.
fn swagger_ui(name: &str, media_type: HeaderValue) -> Result<Response, Problem> {
    let file = utoipa_swagger_ui::serve(name, Arc::new(Config::default())).ok().flatten();
    let file = file.filter(|file| file.gzpipped).ok_or_else(|| Problem::new(kind::NOT_FOUND))?;
    let body = match file.bytes {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => bytes.into(),
    };
    Ok(([(CONTENT_TYPE, media_type), (CONTENT_ENCODING, GZIP)], body).into_response())
}
