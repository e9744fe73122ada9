//! Finds out who is calling, before the handler runs.

use std::convert::Infallible;
use std::future::Future;

use axum::Extension;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::Route;
use http::HeaderMap;
use problem::Problem;
use request_context::{Caller, RequestContext};
use tower::{Layer, Service};

/// A layer for `route_layer`: requests that pass it have a caller, and those that `authenticate`
/// refuses are answered with its problem.
pub fn authentication<F, Fut>(
    authenticate: F,
) -> impl Layer<
    Route,
    Service = impl Service<Request, Response = Response, Error = Infallible, Future: Send + 'static>
              + Clone
              + Send
              + Sync
              + 'static,
> + Clone
+ Send
+ Sync
+ 'static
where
    F: Fn(RequestContext, HeaderMap) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Result<Caller, Problem>> + Send + 'static,
{
    from_fn(move |Extension(context): Extension<RequestContext>, mut request: Request, next: Next| {
        let caller = authenticate(context.clone(), request.headers().clone());
        async move {
            let caller = caller.await?;
            request.extensions_mut().insert(context.with_caller(caller));
            Ok::<_, Problem>(next.run(request).await)
        }
    })
}
