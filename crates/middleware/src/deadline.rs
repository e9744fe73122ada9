//! Gives a request up when its time is over.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName};
use pin_project_lite::pin_project;
use problem::{Problem, kind};
use request_context::RequestContext;
use tokio::time::{Timeout, timeout_at};
use tower::{Layer, Service};

use crate::arrival::{self, Arrival};

const REQUEST_TIMEOUT_MS: HeaderName = HeaderName::from_static("x-request-timeout-ms");
/// Ten minutes, the longest a service's own deadline can be.
const MAX_MS: u32 = 600_000;

/// How long the client is ready to wait, if it says so.
pub(crate) fn requested(headers: &HeaderMap) -> Result<Option<Duration>, Problem> {
    let mut values = headers.get_all(REQUEST_TIMEOUT_MS).iter();
    let milliseconds = match (values.next(), values.next()) {
        (None, _) => return Ok(None),
        (Some(value), None) => milliseconds(value.as_bytes()),
        (Some(_), Some(_)) => None,
    };
    let milliseconds = milliseconds.ok_or_else(|| {
        Problem::new(kind::INVALID_REQUEST)
            .detail("X-Request-Timeout-Ms must be one whole number of milliseconds from 1 to 600000.")
    })?;
    Ok(Some(Duration::from_millis(milliseconds.into())))
}

/// Digits alone: the standard parser would also take a sign.
fn milliseconds(value: &[u8]) -> Option<u32> {
    let digits = value.iter().all(u8::is_ascii_digit);
    let number = digits.then(|| std::str::from_utf8(value).ok()?.parse().ok()).flatten()?;
    (1..=MAX_MS).contains(&number).then_some(number)
}

/// Drops what is inside at the deadline, and with it all that is being waited for on the request's behalf.
///
/// Hand-written, as [`Around`](crate::around::Around) is: `from_fn` would allocate three times.
#[derive(Clone, Copy)]
pub(crate) struct DeadlineLayer;

impl<S> Layer<S> for DeadlineLayer {
    type Service = DeadlineService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        DeadlineService(inner)
    }
}

#[derive(Clone)]
pub(crate) struct DeadlineService<S>(S);

impl<S> Service<Request> for DeadlineService<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = DeadlineFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let context: Option<&RequestContext> = request.extensions().get();
        let deadline = context.expect("the stack writes it down further out").deadline();
        let (request, arrival) = arrival::watch(request);
        DeadlineFuture { inner: Some(timeout_at(deadline.instant(), self.0.call(request))), arrival }
    }
}

pin_project! {
    pub(crate) struct DeadlineFuture<F> {
        #[pin]
        inner: Option<Timeout<F>>,
        arrival: Arrival,
    }
}

impl<F> Future for DeadlineFuture<F>
where
    F: Future<Output = Result<Response, Infallible>>,
{
    type Output = Result<Response, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let inner = this.inner.as_mut().as_pin_mut().expect("a future is not polled after it was ready");
        let ended = ready!(inner.poll(cx));
        // Not only when this is dropped, too: what went on has ended when the answer is on its way.
        this.inner.set(None);
        let late = match ended {
            Ok(answered) => return Poll::Ready(answered),
            // Who is slow decides whose fault it is: 4xx or 5xx.
            Err(_) if this.arrival.is_awaited() => kind::REQUEST_TIMEOUT,
            Err(_) => kind::DEADLINE_EXCEEDED,
        };
        Poll::Ready(Ok(Problem::new(late).into_response()))
    }
}
