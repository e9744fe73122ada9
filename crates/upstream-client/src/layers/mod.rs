//! One file for each thing that happens to a call. No layer keeps anything: what it needs comes with the call.

use tower::Service;

use crate::call::Call;
use crate::error::Failure;

/// What a layer stands on: services that answer with `A`.
pub(crate) trait Next<A>:
    Service<Call, Response = A, Error = Failure, Future: Send> + Clone + Send + Sync + 'static
{
}

impl<S, A> Next<A> for S where
    S: Service<Call, Response = A, Error = Failure, Future: Send> + Clone + Send + Sync + 'static
{
}

/// Makes the service of an async function that has the next service and the call, for `ServiceBuilder::layer_fn`.
///
/// Spelled out, each layer would be these lines once more.
macro_rules! layer {
    ($(#[$doc:meta])* $name:ident: $below:ty => $above:ty = $function:ident) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub(crate) struct $name<S>(pub(crate) S);

        impl<S: $crate::layers::Next<$below>> tower::Service<$crate::call::Call> for $name<S> {
            type Response = $above;
            type Error = $crate::error::Failure;
            type Future = futures::future::BoxFuture<'static, Result<$above, $crate::error::Failure>>;

            fn poll_ready(
                &mut self,
                cx: &mut std::task::Context<'_>,
            ) -> std::task::Poll<Result<(), $crate::error::Failure>> {
                self.0.poll_ready(cx)
            }

            fn call(&mut self, call: $crate::call::Call) -> Self::Future {
                // The clone waits for the next call; the one that was polled ready serves this one.
                let next = self.0.clone();
                Box::pin($function(std::mem::replace(&mut self.0, next), call))
            }
        }
    };
}

pub(crate) mod attempt;
pub(crate) mod authorize;
pub(crate) mod breaker;
pub(crate) mod cache;
pub(crate) mod classify;
pub(crate) mod coalesce;
pub(crate) mod contract;
pub(crate) mod deadline;
pub(crate) mod hedge;
pub(crate) mod limit;
pub(crate) mod propagate;
pub(crate) mod retry;
pub(crate) mod timeout;
