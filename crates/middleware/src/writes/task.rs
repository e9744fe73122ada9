//! The task of one write, which needs nobody to wait for it.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{MatchedPath, Request};
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use problem::{Problem, kind};
use request_context::{Deadline, RequestContext};
use store::{Store, Version};
use tokio::sync::oneshot;
use tokio::time::timeout_at;
use tower::Service;
use tracing::{field, warn};

use super::key::Key;
use super::observe::Counts;
use super::outcome::{self, Outcome};
use super::records::{Claim, Failure, Records, unavailable};
use crate::access_log::{self, Chain};
use crate::panics;

/// How far past its deadline a handler may come to its end. Its calls have ended by then.
const LEEWAY: Duration = Duration::from_millis(100);
/// How far past the deadline a claim ends by itself, after a crash for instance: when the handler has ended and
/// its outcome is recorded, or else the next request would run beside it.
const HELD: Duration = Duration::from_secs(2);
/// What is left for the way to the client when recording takes too long.
const RESERVE: Duration = Duration::from_millis(50);

pub(super) struct Task<S, I> {
    pub(super) records: Records<S>,
    pub(super) counts: Arc<Counts>,
    pub(super) inner: I,
    pub(super) request: Request,
    pub(super) ctx: RequestContext,
}

impl<S, I> Task<S, I>
where
    S: Store,
    I: Service<Request, Response = Response, Error = Infallible>,
{
    /// A write without a key: it cannot be recognised, so there is nothing to remember.
    pub(super) async fn run(mut self, waiting: Waiting) {
        let handler = async {
            let Ok(answer) = self.inner.call(self.request).await;
            answer
        };
        waiting.answer(bounded(self.ctx.deadline(), handler).await.unwrap_or_else(|failure| failure));
    }

    /// A write with a key, which happens once.
    pub(super) async fn once(self, key: &Key, waiting: Waiting) {
        let claim = self.records.claim(key, self.ctx.deadline().remaining() + HELD).await;
        self.counts.count(&claim);
        match claim {
            Ok(Claim::Run(claimed)) => self.settle(key, claimed, waiting).await,
            Ok(Claim::Answered(answer)) => {
                let replay = answer.replay().map_err(unavailable);
                waiting.answer(replay.unwrap_or_else(IntoResponse::into_response));
            }
            Err(problem) => waiting.answer(problem.into_response()),
        }
    }

    async fn settle(mut self, key: &Key, claimed: Version, waiting: Waiting) {
        let deadline = self.ctx.deadline();
        let handler = async {
            let Ok(answer) = self.inner.call(self.request).await;
            outcome::of(answer).await
        };
        let (answer, outcome) =
            bounded(deadline, handler).await.unwrap_or_else(|failure| (failure, Outcome::None));
        let mut recording = pin!(async {
            if let Err(failure) = self.records.settle(key, claimed, outcome).await {
                log_unrecorded(&self.ctx, &failure);
            }
        });
        // Recorded first, so that whoever is answered can rely on it; but a slow store makes no late answer.
        let recorded = timeout_at(deadline.minus(RESERVE).instant(), &mut recording).await;
        waiting.answer(answer);
        if recorded.is_err() {
            recording.await;
        }
    }
}

/// What `work` results in, or the answer if it panics or does not end.
async fn bounded<T>(deadline: Deadline, work: impl Future<Output = T>) -> Result<T, Response> {
    let work = AssertUnwindSafe(work).catch_unwind();
    match timeout_at(deadline.instant() + LEEWAY, work).await {
        Ok(ended) => ended.map_err(panics::answer),
        Err(_) => Err(Problem::new(kind::DEADLINE_EXCEEDED).into_response()),
    }
}

/// Whoever waits for the answer of a write, and may have left.
pub(super) struct Waiting {
    pub(super) sender: oneshot::Sender<Response>,
    pub(super) ctx: RequestContext,
    pub(super) route: Option<MatchedPath>,
}

impl Waiting {
    /// The access log has said that the request was cancelled or late; so this says how the write ended.
    fn answer(self, answer: Response) {
        if let Err(answer) = self.sender.send(answer) {
            access_log::unheard(self.route.as_ref(), &self.ctx, &answer);
        }
    }
}

/// The answer is given all the same: the write has happened, and its derived key protects it from a second time.
fn log_unrecorded(ctx: &RequestContext, failure: &Failure) {
    warn!(
        request_id = field::display(ctx.request_id()),
        trace_id = field::display(ctx.trace().trace_id()),
        span_id = field::display(ctx.trace().span_id()),
        cause = field::display(Chain(failure)),
        "the outcome of a write is not recorded"
    );
}
