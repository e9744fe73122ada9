//! Asking again who is calling, for an answer that goes on for long.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::StatusCode;
use axum::http::request::Parts;
use futures::FutureExt;
use futures::future::BoxFuture;
use request_context::{Caller, Deadline, RequestContext};
use screen::Problem;
use tokio::time::{Instant, sleep, timeout_at};

/// How long somebody is listened for of whom nobody can tell whether they may.
const PATIENCE: Duration = Duration::from_mins(1);

type Ask = dyn Fn(RequestContext, Arc<Parts>) -> BoxFuture<'static, Result<Caller, Problem>> + Send + Sync;

/// Who sent a request with this head, as of now. To ask does not count as activity of theirs. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Recall(Arc<Ask>);

/// Why somebody may listen no longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Their session is over.
    Over,
    /// Nobody can tell: they come back and ask.
    Unknown,
}

/// A request whose caller is asked for again: their token may be another one since. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Recalled(Arc<Mutex<RequestContext>>);

impl Recall {
    pub(crate) fn new<F>(ask: impl Fn(RequestContext, Arc<Parts>) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Caller, Problem>> + Send + 'static,
    {
        Self(Arc::new(move |ctx, head| ask(ctx, head).boxed()))
    }

    /// Completes when the caller of `request` may no longer listen, or when nobody could tell for too long.
    pub(crate) async fn refused(self, request: Recalled, head: Arc<Parts>, every: Duration) -> Refused {
        let mut known = Instant::now();
        loop {
            sleep(every).await;
            let ctx = request.now();
            let deadline = ctx.deadline().instant();
            match timeout_at(deadline, (self.0)(ctx, head.clone())).await {
                Ok(Ok(caller)) => {
                    if !request.renew(caller) {
                        return Refused::Over;
                    }
                    known = Instant::now();
                }
                Ok(Err(problem)) if is_final(problem.status()) => return Refused::Over,
                Ok(Err(_)) | Err(_) if known.elapsed() >= PATIENCE => return Refused::Unknown,
                Ok(Err(_)) | Err(_) => {}
            }
        }
    }
}

fn is_final(status: StatusCode) -> bool {
    matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
}

impl Recalled {
    pub(crate) fn new(ctx: &RequestContext) -> Self {
        Self(Arc::new(Mutex::new(ctx.clone())))
    }

    /// The request as of now, with as much time as it had at first.
    pub(crate) fn now(&self) -> RequestContext {
        let ctx = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ctx.with_deadline(Deadline::after(ctx.patience()))
    }

    /// Takes over the caller, unless it is somebody else.
    fn renew(&self, caller: Caller) -> bool {
        let mut ctx = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let same =
            ctx.caller().is_some_and(|old| (&old.realm, &old.subject) == (&caller.realm, &caller.subject));
        if same {
            *ctx = ctx.with_caller(caller);
        }
        same
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;
    use request_context::AccessToken;
    use screen::kind;
    use test_support::{caller, context};

    const EVERY: Duration = Duration::from_secs(5);

    fn problem(kind: screen::ProblemKind) -> Result<Caller, Problem> {
        Err(Problem::new(kind))
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_ends_with_its_session_and_not_with_the_store() {
        for (answers, asked) in [
            (vec![problem(kind::UNAUTHENTICATED)], 1),
            (vec![problem(kind::FORBIDDEN)], 1),
            (vec![Ok(caller("u_42")), problem(kind::UNAVAILABLE), problem(kind::UNAUTHENTICATED)], 3),
            (vec![problem(kind::OVERLOADED), problem(kind::INTERNAL), Ok(caller("u_1"))], 3),
        ] {
            let answers = Arc::new(Mutex::new(VecDeque::from(answers)));
            let recall = Recall::new(move |ctx: RequestContext, _| {
                assert!(!ctx.deadline().remaining().is_zero(), "it has time");
                std::future::ready(answers.lock().unwrap().pop_front().unwrap())
            });
            let request = Recalled::new(&context().with_patience(Duration::from_secs(2)));
            let (head, ()) = axum::http::Request::new(()).into_parts();
            let begun = Instant::now();
            assert_eq!(recall.refused(request, Arc::new(head), EVERY).await, Refused::Over);
            assert_eq!(begun.elapsed(), EVERY * asked);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_listens_for_long_of_whom_nothing_is_known() {
        let recall = Recall::new(|_, _| std::future::ready(problem(kind::UNAVAILABLE)));
        let request = Recalled::new(&context().with_patience(Duration::from_secs(2)));
        let (head, ()) = axum::http::Request::new(()).into_parts();
        let begun = Instant::now();
        assert_eq!(recall.refused(request, Arc::new(head), EVERY).await, Refused::Unknown);
        assert_eq!(begun.elapsed(), PATIENCE);
    }

    #[tokio::test(start_paused = true)]
    async fn a_renewed_token_is_the_one_that_is_used() {
        let asked = Arc::new(Mutex::new(0));
        let recall = Recall::new(move |_, _| {
            *asked.lock().unwrap() += 1;
            let (times, asked) = (*asked.lock().unwrap(), asked.clone());
            async move {
                match times {
                    1 => Ok(Caller { token: AccessToken::new("renewed"), ..caller("u_42") }),
                    // Never answered, and given up.
                    2 => std::future::pending().await,
                    _ => {
                        drop(asked);
                        problem(kind::UNAUTHENTICATED)
                    }
                }
            }
        });
        let request = Recalled::new(&context().with_patience(Duration::from_secs(2)));
        let (head, ()) = axum::http::Request::new(()).into_parts();
        let begun = Instant::now();
        recall.refused(request.clone(), Arc::new(head), EVERY).await;
        assert_eq!(begun.elapsed(), EVERY * 3 + Duration::from_secs(2));
        assert_eq!(request.now().caller().unwrap().token.expose(), "renewed");
    }
}
