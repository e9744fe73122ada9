//! What the answer to a read carries, so that a client can keep it and ask whether it changed.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use futures::{StreamExt, stream};
use http::header::{self, CACHE_CONTROL, ETAG, IF_NONE_MATCH, VARY};
use http::{HeaderName, HeaderValue, Method, StatusCode};
use http_body::Body as _;
use http_body_util::{BodyStream, StreamBody};
use problem::Timeless;

use crate::around::Around;
use crate::etag;

const PRIVATE: HeaderValue = HeaderValue::from_static("private, no-cache");
const BY_CALLER: HeaderValue = HeaderValue::from_static("Authorization, Cookie, Accept-Encoding");

/// What describes a body, and so has no place where there is none.
const OF_THE_BODY: [HeaderName; 5] = [
    header::CONTENT_ENCODING,
    header::CONTENT_LANGUAGE,
    header::CONTENT_LENGTH,
    header::CONTENT_RANGE,
    header::CONTENT_TYPE,
];

/// Caching rules and a weak `ETag` on answers to `GET` and `HEAD`, and `304` for whoever has it already.
#[derive(Clone, Copy)]
pub(crate) struct Reads;

impl Around for Reads {
    /// The lines of `If-None-Match`; nothing for a request that is not a read.
    type Held = Option<Vec<HeaderValue>>;

    fn request(&self, request: &mut Request) -> Self::Held {
        let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
        is_read.then(|| request.headers().get_all(IF_NONE_MATCH).iter().cloned().collect())
    }

    fn response(held: Self::Held, mut response: Response) -> Response {
        let Some(known) = held else { return response };
        let headers = response.headers_mut();
        headers.entry(CACHE_CONTROL).or_insert(PRIVATE);
        headers.entry(VARY).or_insert(BY_CALLER);
        if response.status() != StatusCode::OK {
            return response;
        }
        let (response, tag) = tagged(response);
        match tag {
            Some(tag) if known.iter().any(|line| etag::is_named(line, &tag)) => not_modified(response),
            _ => response,
        }
    }
}

/// The answer with its tag: the handler's own, or else that of what it says, if all of it is there.
fn tagged(mut response: Response) -> (Response, Option<HeaderValue>) {
    if let Some(tag) = response.headers().get(ETAG) {
        let tag = tag.clone();
        return (response, Some(tag));
    }
    if let Some(Timeless(text)) = response.extensions_mut().remove() {
        let tag = etag::of(text.as_bytes());
        response.headers_mut().insert(ETAG, tag.clone());
        return (response, Some(tag));
    }
    let body = std::mem::take(response.body_mut());
    let (body, whole) = whole(body);
    *response.body_mut() = body;
    let tag = whole.map(|bytes| etag::of(&bytes));
    if let Some(tag) = &tag {
        response.headers_mut().insert(ETAG, tag.clone());
    }
    (response, tag)
}

/// RFC 9110, section 15.4.5: the headers that the `200` would have had, but for those of its body.
fn not_modified(mut response: Response) -> Response {
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    for name in OF_THE_BODY {
        response.headers_mut().remove(name);
    }
    // Empty without saying so: axum would write `Content-Length: 0`, which is not the length of the `200`.
    response.map(|_| Body::from_stream(stream::empty::<Result<Bytes, axum::Error>>()))
}

/// The body unchanged, and its bytes if they are all there already and nobody has to wait for them.
fn whole(mut body: Body) -> (Body, Option<Bytes>) {
    let Some(size) = body.size_hint().exact() else {
        return (body, None);
    };
    let mut context = Context::from_waker(Waker::noop());
    let first = match Pin::new(&mut body).poll_frame(&mut context) {
        Poll::Pending => return (body, None),
        Poll::Ready(None) => return (Body::empty(), Some(Bytes::new())),
        Poll::Ready(Some(first)) => first,
    };
    let bytes = first.as_ref().ok().and_then(|frame| frame.data_ref());
    if let Some(bytes) = bytes
        && bytes.len() as u64 == size
        && body.is_end_stream()
    {
        return (Body::from(bytes.clone()), Some(bytes.clone()));
    }
    let frames = stream::iter([first]).chain(BodyStream::new(body));
    (Body::new(StreamBody::new(frames)), None)
}
