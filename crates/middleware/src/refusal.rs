//! Answers a request at once if something about it cannot be right.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::task::{Context, Poll};

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use futures::future::Either;
use problem::{Problem, kind};
use tower::{Layer, Service};

use crate::deadline;

/// The most headers of a request: the 100 that the gateway takes, and those that it adds.
///
/// Lower than the listener's limit, beyond which there is no request that could be answered with a problem.
const MAX_HEADERS: usize = 110;

/// Too many headers, or a wish that cannot be read.
pub(crate) fn look(request: &Request) -> Result<(), Problem> {
    if request.headers().len() > MAX_HEADERS {
        return Err(Problem::new(kind::HEADERS_TOO_LARGE));
    }
    deadline::requested(request.headers()).map(drop)
}

/// Only what passes the function goes on.
#[derive(Clone, Copy)]
pub(crate) struct RefuseLayer(pub(crate) fn(&Request) -> Result<(), Problem>);

impl<S> Layer<S> for RefuseLayer {
    type Service = Refuse<S>;

    fn layer(&self, inner: S) -> Refuse<S> {
        Refuse { look: self.0, inner }
    }
}

#[derive(Clone)]
pub(crate) struct Refuse<S> {
    look: fn(&Request) -> Result<(), Problem>,
    inner: S,
}

impl<S> Service<Request> for Refuse<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Either<Ready<Result<Response, Infallible>>, S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        match (self.look)(&request) {
            Ok(()) => Either::Right(self.inner.call(request)),
            Err(problem) => Either::Left(ready(Ok(problem.into_response()))),
        }
    }
}
