//! Compresses what is worth it, in the coding that the client likes best.

use axum::extract::Request;
use http::header::ACCEPT_ENCODING;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{And, DefaultPredicate, Predicate, SizeAbove};

/// Below it a body fits in one packet anyway.
const MIN_BYTES: u64 = 1024;

/// zstd, br and gzip, for bodies of 1 KiB and more, but for images and event streams.
pub(crate) fn layer() -> CompressionLayer<And<DefaultPredicate, SizeAbove>> {
    CompressionLayer::new().compress_when(DefaultPredicate::new().and(SizeAbove::new(MIN_BYTES)))
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
