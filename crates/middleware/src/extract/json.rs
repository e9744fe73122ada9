//! A JSON body.

use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, Request};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, StatusCode};
use problem::{Problem, kind};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Deserializer;

use super::fault::{self, Place};

/// The body of a request, read into `T`; or that of an answer.
///
/// A body that is no JSON is `malformed-json`, one that is no `T` is `invalid-request` with the
/// pointer of the value to blame. `T` decides whether unknown members are refused.
#[derive(Clone, Copy, Debug)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        expect_json(request.headers())?;
        let body = Bytes::from_request(request, state).await.map_err(unreadable)?;
        parse(&body).map(Self)
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

/// The problem for a body that is too large or did not arrive.
pub(crate) fn unreadable(rejection: BytesRejection) -> Problem {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(kind::BODY_TOO_LARGE),
        _ => Problem::new(kind::INVALID_REQUEST).detail("The body could not be read.").caused_by(rejection),
    }
}

fn expect_json(headers: &HeaderMap) -> Result<(), Problem> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let coding = text(CONTENT_ENCODING).unwrap_or("identity");
    if !coding.eq_ignore_ascii_case("identity") {
        return Err(Problem::new(kind::UNSUPPORTED_MEDIA_TYPE).detail("The body must not be compressed."));
    }
    match text(CONTENT_TYPE) {
        Some(media_type) if is_json(media_type) => Ok(()),
        _ => Err(Problem::new(kind::UNSUPPORTED_MEDIA_TYPE)),
    }
}

/// `application/json`, or a format built on it (RFC 6839, section 3.1), whatever its parameters.
fn is_json(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim().as_bytes();
    let (prefix, suffix) = (b"application/", b"+json");
    essence.eq_ignore_ascii_case(b"application/json")
        || (essence.len() > prefix.len() + suffix.len()
            && essence[..prefix.len()].eq_ignore_ascii_case(prefix)
            && essence[essence.len() - suffix.len()..].eq_ignore_ascii_case(suffix))
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|error| {
        if error.is_data() {
            misfit::<T>(body).unwrap_or_else(|| Problem::new(kind::INVALID_REQUEST))
        } else {
            Problem::new(kind::MALFORMED_JSON).detail(sentence(&error))
        }
    })
}

/// Reads a body that did not fit once more, now keeping account of where: a body that fits need not pay for it.
fn misfit<T: DeserializeOwned>(body: &[u8]) -> Option<Problem> {
    let mut reader = Deserializer::from_slice(body);
    let error = serde_path_to_error::deserialize::<_, T>(&mut reader).err()?;
    let message = error.inner().to_string();
    // The pointer says where; the line and column of what may be one long line do not help.
    let message = message.rsplit_once(" at line ").map_or(&*message, |(message, _)| message);
    Some(fault::describe(Place::Body, error.path(), message))
}

fn sentence(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let mut letters = message.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).chain(['.']).collect()
}
