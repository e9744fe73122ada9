//! Finds out who is calling, before the handler runs.

use std::convert::Infallible;
use std::mem;
use std::task::{Context, Poll};

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use futures::future::BoxFuture;
use problem::Problem;
use request_context::Authenticate;
use tower::{Layer, Service};

use crate::extract::context_of;

/// A layer for `route_layer`: requests that pass it have a caller, and those that `authenticate`
/// refuses are answered with its problem.
///
/// Hand-written because the `Service` of `axum::middleware::from_fn` has no name that could be returned,
/// and allocates twice more for every request.
pub fn authentication<A: Authenticate<Refusal = Problem>>(authenticate: A) -> AuthenticationLayer<A> {
    AuthenticationLayer(authenticate)
}

/// See [`authentication`].
#[derive(Clone)]
pub struct AuthenticationLayer<A>(A);

impl<A: Clone, S> Layer<S> for AuthenticationLayer<A> {
    type Service = Authentication<A, S>;

    fn layer(&self, inner: S) -> Self::Service {
        Authentication { authenticate: self.0.clone(), inner }
    }
}

/// See [`authentication`].
#[derive(Clone)]
pub struct Authentication<A, S> {
    authenticate: A,
    inner: S,
}

impl<A, S> Service<Request> for Authentication<A, S>
where
    A: Authenticate<Refusal = Problem>,
    S: Service<Request, Response = Response, Error = Infallible, Future: Send> + Clone + Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        // The one that is ready serves this request; its clone waits for the next.
        let next = self.inner.clone();
        let mut inner = mem::replace(&mut self.inner, next);
        let authenticate = self.authenticate.clone();
        Box::pin(async move {
            match identified(&authenticate, request).await {
                Ok(request) => inner.call(request).await,
                Err(problem) => Ok(problem.into_response()),
            }
        })
    }
}

async fn identified<A>(authenticate: &A, request: Request) -> Result<Request, Problem>
where
    A: Authenticate<Refusal = Problem>,
{
    let (mut head, body) = request.into_parts();
    let context = context_of(&head.extensions)?;
    let caller = authenticate.authenticate(&context, &head).await?;
    head.extensions.insert(context.with_caller(caller));
    Ok(Request::from_parts(head, body))
}
