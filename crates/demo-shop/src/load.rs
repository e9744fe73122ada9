//! Sheds load by `X-Request-Priority`: batch first, checkout last.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;

use crate::problem::{OVERLOADED, Problem};

/// How many requests a service is answering, and above how many it refuses some.
pub(crate) struct Load {
    above: Option<usize>,
    now: AtomicUsize,
}

/// A request being answered; until it is dropped.
struct Place<'a>(&'a AtomicUsize);

/// The layer that sheds.
pub(crate) async fn shed(State(load): State<Arc<Load>>, request: Request, next: Next) -> Response {
    match load.admit(request.headers()) {
        Some(_place) => next.run(request).await,
        None => Problem::new(OVERLOADED).into_response(),
    }
}

impl Load {
    /// Without a number nothing is ever shed.
    pub(crate) fn new(above: Option<usize>) -> Self {
        Self { above, now: AtomicUsize::new(0) }
    }

    fn admit(&self, headers: &HeaderMap) -> Option<Place<'_>> {
        let busy = self.now.fetch_add(1, Ordering::Relaxed) + 1;
        let place = Place(&self.now);
        let most = self.above.map(|above| most(above, headers));
        most.is_none_or(|most| busy <= most).then_some(place)
    }
}

/// Up to how many requests at once one of this priority is still answered.
fn most(above: usize, headers: &HeaderMap) -> usize {
    match headers.get("x-request-priority").map(http::HeaderValue::as_bytes) {
        Some(b"checkout") => above * 2,
        Some(b"batch") => above,
        _ => above * 3 / 2,
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
