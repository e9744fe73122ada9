//! Compresses what is worth it, in the coding that the client likes best.

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING};
use http::{Extensions, HeaderMap, StatusCode, Version};
use tower_http::compression::predicate::{DefaultPredicate, Predicate, SizeAbove};
use tower_http::compression::{CompressionBody, CompressionLayer};

/// Below it a body fits in one packet anyway.
const MIN_BYTES: u64 = 1024;

/// zstd, br and gzip, for bodies of 1 KiB and more, but for images and event streams.
pub(crate) fn layer() -> CompressionLayer<impl Predicate> {
    let worth_it = DefaultPredicate::new().and(SizeAbove::new(MIN_BYTES)).and(has_a_body);
    CompressionLayer::new().compress_when(worth_it)
}

/// The compressed form of nothing is some bytes, and a `304` with any is an error on HTTP/2.
fn has_a_body(status: StatusCode, _: Version, _: &HeaderMap, _: &Extensions) -> bool {
    status != StatusCode::NOT_MODIFIED
}

/// The answer with a body that is like any other.
///
/// One that is not compressed is taken out of its wrapper, which is as large as the encoders it has room for.
pub(crate) fn unwrap(response: Response<CompressionBody<Body>>) -> Response {
    if response.headers().contains_key(CONTENT_ENCODING) {
        response.map(Body::new)
    } else {
        response.map(CompressionBody::into_inner)
    }
}

/// Answers to writes are small and stay as they are.
///
/// The layer answers `406` to a client who refuses every coding there is, after the handler has run:
/// a read can be asked again, but a write has happened.
pub(crate) fn for_reads_only(mut request: Request) -> Request {
    if !request.method().is_safe() {
        request.headers_mut().remove(ACCEPT_ENCODING);
    }
    request
}
