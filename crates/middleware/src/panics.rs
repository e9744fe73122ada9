//! Makes a panic one `500`, and its message the cause in the access log.

use std::any::Any;
use std::borrow::Cow;

use axum::response::{IntoResponse, Response};
use problem::{Problem, kind};

#[derive(Debug, thiserror::Error)]
#[error("panicked: {0}")]
struct Panicked(Cow<'static, str>);

/// The answer to a request whose handler panicked with `payload`.
pub(crate) fn answer(payload: Box<dyn Any + Send>) -> Response {
    let message = match payload.downcast::<String>() {
        Ok(text) => Cow::Owned(*text),
        Err(other) => other
            .downcast_ref::<&'static str>()
            .map_or(Cow::Borrowed("no message"), |text| Cow::Borrowed(*text)),
    };
    Problem::new(kind::INTERNAL).caused_by(Panicked(message)).into_response()
}
