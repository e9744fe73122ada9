//! A layer that looks at a request on its way in and at the answer on its way out.
//!
//! Hand-written because four layers share it: `axum::middleware::from_fn` would allocate three times
//! in each of them for every request, and none of them has anything to wait for.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::extract::Request;
use axum::response::Response;
use pin_project_lite::pin_project;
use tower::{Layer, Service};

/// What is done before and after the rest of the stack.
pub(crate) trait Around: Clone {
    /// What is kept from the request until its answer; dropped without one when the client leaves.
    type Held;

    /// Sees the request, and may change it.
    fn request(&self, request: &mut Request) -> Self::Held;

    /// Sees the answer, and may change it.
    fn response(held: Self::Held, response: Response) -> Response;
}

#[derive(Clone)]
pub(crate) struct AroundLayer<A>(pub(crate) A);

impl<A: Around, S> Layer<S> for AroundLayer<A> {
    type Service = AroundService<A, S>;

    fn layer(&self, inner: S) -> Self::Service {
        AroundService { around: self.0.clone(), inner }
    }
}

#[derive(Clone)]
pub(crate) struct AroundService<A, S> {
    around: A,
    inner: S,
}

impl<A, S> Service<Request> for AroundService<A, S>
where
    A: Around,
    S: Service<Request, Response = Response, Error = Infallible>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = AroundFuture<A, S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let held = Some(self.around.request(&mut request));
        let inner = self.inner.call(request);
        AroundFuture { inner, held }
    }
}

pin_project! {
    // Dropped in this order: what is inside has ended when the rest is told so.
    pub(crate) struct AroundFuture<A: Around, F> {
        #[pin]
        inner: F,
        held: Option<A::Held>,
    }
}

impl<A, F> Future for AroundFuture<A, F>
where
    A: Around,
    F: Future<Output = Result<Response, Infallible>>,
{
    type Output = Result<Response, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Ok(response) = ready!(this.inner.poll(cx));
        let held = this.held.take().expect("a future is not polled after it was ready");
        Poll::Ready(Ok(A::response(held, response)))
    }
}
