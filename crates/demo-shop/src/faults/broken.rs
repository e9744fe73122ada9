//! Answers that are wrong in their body.

use std::convert::Infallible;
use std::io;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::response::{IntoResponse, Response};
use futures::{StreamExt, stream};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use serde_json::Value;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const START: &[u8] = br#"{"items":[{"id":""#;
const CHUNK: &[u8] = &[b'x'; 64 * 1024];
/// 5 MiB: above every cap that a client may have for JSON.
const CHUNKS: usize = 80;
/// What a real answer can measure at most.
const REAL: usize = 16 << 20;

/// Head at once, then a byte a second, without an end.
pub(super) fn dripping() -> Response {
    let bytes = START.iter().copied().chain(std::iter::repeat(b'x'));
    let drops = stream::iter(bytes).then(async |byte| {
        tokio::time::sleep(Duration::from_secs(1)).await;
        Ok::<_, Infallible>(Bytes::copy_from_slice(&[byte]))
    });
    ([(CONTENT_TYPE, JSON)], Body::from_stream(drops)).into_response()
}

/// Promises more than it sends, then closes the connection.
pub(super) fn truncated() -> Response {
    let closed = stream::once(async {
        // The start must be on its way before the error drops what is not.
        tokio::time::sleep(Duration::from_millis(10)).await;
        Err(io::Error::from(io::ErrorKind::ConnectionAborted))
    });
    let body = stream::once(async { Ok(Bytes::from_static(START)) }).chain(closed);
    ([(CONTENT_TYPE, JSON), (CONTENT_LENGTH, HeaderValue::from_static("4096"))], Body::from_stream(body))
        .into_response()
}

/// Well-formed as far as anyone reads, and without a `Content-Length` that would warn.
pub(super) fn oversize() -> Response {
    let chunks = [START].into_iter().chain(std::iter::repeat_n(CHUNK, CHUNKS)).chain([br#""}]}"#.as_slice()]);
    let body = stream::iter(chunks.map(|chunk| Ok::<_, Infallible>(Bytes::from_static(chunk))));
    ([(CONTENT_TYPE, JSON)], Body::from_stream(body)).into_response()
}

/// A real answer in which every value has another type; a refusal stays as it is.
pub(super) async fn wrong_shape(real: Response) -> Response {
    let is_json = real.headers().get(CONTENT_TYPE) == Some(&JSON);
    if !real.status().is_success() || !is_json {
        return real;
    }
    let bytes = axum::body::to_bytes(real.into_body(), REAL).await.unwrap_or_default();
    let value = serde_json::from_slice(&bytes).unwrap_or_default();
    (StatusCode::OK, axum::Json(other_types(value))).into_response()
}

fn other_types(value: Value) -> Value {
    match value {
        Value::Null => Value::Bool(false),
        Value::Bool(flag) => Value::String(flag.to_string()),
        Value::Number(number) => Value::String(number.to_string()),
        Value::String(text) => Value::from(text.len()),
        Value::Array(items) if items.is_empty() => Value::Object(serde_json::Map::new()),
        Value::Array(items) => items.into_iter().map(other_types).collect(),
        Value::Object(members) => {
            members.into_iter().map(|(name, value)| (name, other_types(value))).collect()
        }
    }
}
