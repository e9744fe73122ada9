//! The key under which a write happens once.

use std::fmt::Write as _;

use aws_lc_rs::digest;
use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;
use http::{HeaderName, HeaderValue};
use problem::{Problem, kind};
use request_context::RequestContext;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const MAX_LEN: usize = 255;

/// The `Idempotency-Key` of a request: 1 to 255 visible ASCII characters.
///
/// As `Option<IdempotencyKey>` it may be absent, but never malformed or doubled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey {
    upstream: HeaderValue,
}

impl IdempotencyKey {
    /// The key that travels on: SHA-256 of caller, route and the client's key, in hexadecimal, so that no two
    /// callers and no two routes can collide.
    pub fn for_upstream(self) -> HeaderValue {
        self.upstream
    }

    fn derive(chosen: &HeaderValue, parts: &Parts) -> Option<Self> {
        let chosen = chosen.as_bytes();
        if !(1..=MAX_LEN).contains(&chosen.len()) || !chosen.iter().all(u8::is_ascii_graphic) {
            return None;
        }
        let context = parts.extensions.get::<RequestContext>();
        let subject = context.and_then(RequestContext::caller).map_or("", |caller| caller.subject.as_str());
        // None of the four can hold a line break, so no two inputs look the same. The path and not its template:
        // one key for two orders is two writes.
        let input =
            [subject.as_bytes(), parts.method.as_str().as_bytes(), parts.uri.path().as_bytes(), chosen];
        let digest = digest::digest(&digest::SHA256, &input.join(&b'\n'));
        let mut hex = String::with_capacity(2 * digest::SHA256_OUTPUT_LEN);
        for byte in digest.as_ref() {
            write!(hex, "{byte:02x}").expect("writing to a string cannot fail");
        }
        Some(Self { upstream: HeaderValue::try_from(hex).expect("hexadecimal digits are a header value") })
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Problem> {
        let mut values = parts.headers.get_all(IDEMPOTENCY_KEY).iter();
        let key = match (values.next(), values.next()) {
            (None, _) => return Ok(None),
            (Some(value), None) => Self::derive(value, parts),
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
