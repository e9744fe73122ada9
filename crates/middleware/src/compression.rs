//! Compresses what is worth it, in the coding that the client likes best.

use axum::extract::Request;
use http::header::ACCEPT_ENCODING;
use http::{Extensions, HeaderMap, StatusCode, Version};
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, Predicate, SizeAbove};

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
