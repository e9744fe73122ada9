//! The key under which a write happens once.

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;
use http::{HeaderName, HeaderValue};
use problem::{Problem, kind};

pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The `Idempotency-Key` of a request, as [`Writes`](crate::Writes) has read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey(pub(crate) HeaderValue);

#[derive(Debug, thiserror::Error)]
#[error("the route is not inside of middleware::Writes")]
struct NoWrites;

impl IdempotencyKey {
    /// The key that travels on: SHA-256 of service, caller, route and the client's key, in hexadecimal, so that no
    /// two of them can collide.
    pub fn for_upstream(self) -> HeaderValue {
        self.0
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Problem> {
        match parts.extensions.get().cloned() {
            // To overlook the key would be to make the write twice.
            None if parts.headers.contains_key(IDEMPOTENCY_KEY) => {
                Err(Problem::new(kind::INTERNAL).caused_by(NoWrites))
            }
            key => Ok(key),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let key = <Self as OptionalFromRequestParts<S>>::from_request_parts(parts, state).await?;
        key.ok_or_else(|| Problem::new(kind::INVALID_REQUEST).detail("Idempotency-Key is needed."))
    }
}
