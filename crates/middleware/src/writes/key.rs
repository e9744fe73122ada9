//! Under which keys a write is known: to us, and to the services behind.

use std::fmt::Write as _;

use aws_lc_rs::digest;
use axum::extract::Request;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use problem::{Problem, kind};
use request_context::RequestContext;

use crate::extract::IDEMPOTENCY_KEY;

const MAX_LEN: usize = 255;
/// The layout of records is part of their name: a later version that writes others does not read these.
const RECORD: &str = "idempotency:1:";

/// A write that is recognised when it comes again. All three are SHA-256, in hexadecimal.
pub(super) struct Key {
    /// The key of its record in the store: of service, caller, route, the client's key and the caller's scopes.
    ///
    /// With the scopes, because they are checked further in: an answer is never replayed to a credential of the
    /// same caller that may do less than the one which got it.
    pub(super) record: String,
    /// The key that travels on: of service, caller, route and the client's key.
    pub(super) upstream: HeaderValue,
    /// All that decides what the request does: another one is another write.
    pub(super) request: String,
}

impl Key {
    pub(super) fn new(
        service: &str,
        ctx: &RequestContext,
        chosen: &HeaderValue,
        request: &Request,
        body: &[u8],
    ) -> Self {
        let (realm, subject, scopes) = ctx
            .caller()
            .map_or(("", "", ""), |caller| (&*caller.realm, caller.subject.as_str(), caller.scopes.as_str()));
        let method = request.method().as_str();
        // And not its template: one key for two orders is two writes.
        let path = request.uri().path();
        let query = request.uri().query().unwrap_or_default();
        let media_type = request.headers().get(CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
        let write = [service, realm, subject, method, path].map(str::as_bytes);
        let upstream = sha256(&write, &[chosen.as_bytes()]);
        Self {
            record: format!("{RECORD}{}", sha256(&write, &[chosen.as_bytes(), scopes.as_bytes()])),
            upstream: HeaderValue::try_from(upstream).expect("hexadecimal digits are a header value"),
            request: sha256(&write, &[query.as_bytes(), media_type, body]),
        }
    }
}

/// What the client calls its write: 1 to 255 visible ASCII characters.
pub(super) fn chosen(headers: &HeaderMap) -> Result<Option<HeaderValue>, Problem> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None)
            if (1..=MAX_LEN).contains(&value.len()) && value.as_bytes().iter().all(u8::is_ascii_graphic) =>
        {
            Ok(Some(value.clone()))
        }
        _ => Err(Problem::new(kind::INVALID_REQUEST)
            .detail("Idempotency-Key must be one text of 1 to 255 visible ASCII characters.")),
    }
}

/// None but the last of them all can hold a line break, so no two lists of one length look the same.
fn sha256(write: &[&[u8]], more: &[&[u8]]) -> String {
    let mut digest = digest::Context::new(&digest::SHA256);
    for part in write.iter().chain(more) {
        digest.update(part);
        digest.update(b"\n");
    }
    let mut hex = String::with_capacity(2 * digest::SHA256_OUTPUT_LEN);
    for byte in digest.finish().as_ref() {
        write!(hex, "{byte:02x}").expect("writing to a string cannot fail");
    }
    hex
}
