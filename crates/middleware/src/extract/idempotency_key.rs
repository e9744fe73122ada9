//! The key under which a write happens once.

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;
use http::{HeaderName, HeaderValue};
use problem::{Problem, kind};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const MAX_LEN: usize = 255;

/// The `Idempotency-Key` of a request: 1 to 255 visible ASCII characters.
///
/// As `Option<IdempotencyKey>` it may be absent, but never malformed or doubled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey(HeaderValue);

impl IdempotencyKey {
    /// The key as the client chose it.
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    fn parse(value: &HeaderValue) -> Option<Self> {
        let bytes = value.as_bytes();
        let visible = (1..=MAX_LEN).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic);
        visible.then(|| Self(value.clone()))
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Problem> {
        let mut values = parts.headers.get_all(IDEMPOTENCY_KEY).iter();
        let key = match (values.next(), values.next()) {
            (None, _) => return Ok(None),
            (Some(value), None) => Self::parse(value),
            (Some(_), Some(_)) => None,
        };
        key.map(Some)
            .ok_or_else(|| refused("Idempotency-Key must be one text of 1 to 255 visible ASCII characters."))
    }
}

impl<S: Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let key = <Self as OptionalFromRequestParts<S>>::from_request_parts(parts, state).await?;
        key.ok_or_else(|| refused("Idempotency-Key is needed."))
    }
}

fn refused(detail: &'static str) -> Problem {
    Problem::new(kind::INVALID_REQUEST).detail(detail)
}
