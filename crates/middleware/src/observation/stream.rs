//! The end of an answer that goes on for long.

use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::StatusCode;
use http_body::{Body as HttpBody, Frame, SizeHint};

use super::Pending;
use crate::access_log::{self, Details};

/// The client has left, or its connection was cut.
const LEFT: &str = "client";

/// Why an event stream ends: an extension of its answer, which is then logged when it is over and not when it begins.
///
/// Whoever writes the stream says the reason; if it is dropped before that, the client has left.
#[derive(Clone, Debug, Default)]
pub struct Ending(Arc<OnceLock<&'static str>>);

impl Ending {
    /// Says why; the first reason counts. A word of our own, as all that are logged.
    pub fn because(&self, reason: &'static str) {
        let _ = self.0.set(reason);
    }

    /// The reason, once there is one.
    pub fn reason(&self) -> Option<&'static str> {
        self.0.get().copied()
    }
}

/// A body whose request has ended when it is gone.
struct Followed {
    inner: Body,
    size: u64,
    status: StatusCode,
    ending: Ending,
    pending: Pending,
}

pub(super) fn until_its_end(response: Response, ending: Ending, pending: Pending) -> Response {
    let status = response.status();
    response.map(|inner| Body::new(Followed { inner, size: 0, status, ending, pending }))
}

impl HttpBody for Followed {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = Pin::new(&mut self.inner).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &frame {
            self.size += frame.data_ref().map_or(0, |data| data.len() as u64);
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl Drop for Followed {
    fn drop(&mut self) {
        let mut completed = self.pending.completed();
        completed.status = Some(self.status.as_u16());
        completed.size = Some(self.size);
        let ended = Some(self.ending.reason().unwrap_or(LEFT));
        access_log::write(&completed, Details { ended, ..Details::default() });
        self.pending.end(completed);
    }
}
