//! Time: a call shares the request's deadline and has a timeout of its own.

use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::BoxFuture;
use request_context::Deadline;
use tower::{Layer, Service};

use crate::answer::Answer;
use crate::call::Call;
use crate::error::{CallErrorKind, Failure};

/// What shaping and sending the answer needs after the last call has ended.
const RESERVE: Duration = Duration::from_millis(20);
/// The way back takes time too: a service is told that much less than is left. With [`RESERVE`], 50 ms before the
/// request's own deadline.
pub(super) const WAY_BACK: Duration = Duration::from_millis(30);
/// A call with less time than this is not made: what the service would be told is too little to answer in.
const FLOOR: Duration = Duration::from_millis(40);

/// Ends a call when its time is over, and makes none that cannot fit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DeadlineLayer;

/// The service of [`DeadlineLayer`].
#[derive(Clone, Debug)]
pub(crate) struct DeadlineService<S>(S);

impl<S> Layer<S> for DeadlineLayer {
    type Service = DeadlineService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        DeadlineService(inner)
    }
}

impl<S> Service<Call> for DeadlineService<S>
where
    S: Service<Call, Response = Answer, Error = Failure>,
    S::Future: Send + 'static,
{
    type Response = Answer;
    type Error = Failure;
    type Future = BoxFuture<'static, Result<Answer, Failure>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, mut call: Call) -> Self::Future {
        let deadline = call.deadline.minus(RESERVE).min(Deadline::after(call.facts.timeout));
        if deadline.remaining() < FLOOR {
            return Box::pin(std::future::ready(Err(Failure::new(CallErrorKind::Timeout))));
        }
        call.deadline = deadline;
        let answer = tokio::time::timeout_at(deadline.instant(), self.0.call(call));
        Box::pin(async move { answer.await.unwrap_or_else(|_| Err(Failure::new(CallErrorKind::Timeout))) })
    }
}
