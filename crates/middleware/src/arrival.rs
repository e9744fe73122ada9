//! Knows whether a request's body is still being waited for.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::Request;
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};

/// Whether somebody reads the body and has not seen its end. Nothing for a request without a body.
pub(crate) struct Arrival(Option<Arc<AtomicBool>>);

impl Arrival {
    pub(crate) fn is_awaited(&self) -> bool {
        self.0.as_ref().is_some_and(|awaited| awaited.load(Ordering::Relaxed))
    }
}

/// The request, with a body that tells how far it has come.
pub(crate) fn watch(request: Request) -> (Request, Arrival) {
    if request.body().is_end_stream() {
        return (request, Arrival(None));
    }
    let awaited = Arc::new(AtomicBool::new(false));
    let arrival = Arrival(Some(Arc::clone(&awaited)));
    let request = request.map(|inner| Body::new(Watched { inner, awaited }));
    (request, arrival)
}

struct Watched {
    inner: Body,
    awaited: Arc<AtomicBool>,
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = Pin::new(&mut self.inner).poll_frame(cx);
        // A reader that is handed a frame does something with it; one that must wait waits for the client.
        self.awaited.store(frame.is_pending(), Ordering::Relaxed);
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
