//! A second attempt beside a slow one (Dean and Barroso, "The Tail at Scale", 2013).

use futures::future::{Either, select};
use tokio::time::sleep;
use tower::ServiceExt;

use super::Next;
use crate::answer::Reply;
use crate::call::{Call, Reason};
use crate::error::{CallErrorKind, Failure};

layer! {
    /// When a read takes longer than 95 in 100 did, asks once more at the same time and takes the first good answer.
    Hedge: Reply => Reply = beside
}

async fn beside<S: Next<Reply>>(next: S, call: Call) -> Result<Reply, Failure> {
    let facts = call.facts.clone();
    let usual = facts.track.latency().p95();
    let Some(usual) = usual.filter(|_| facts.operation.is_read() && facts.upstream.settings().hedging) else {
        return next.oneshot(call).await;
    };
    let first = Box::pin(next.clone().oneshot(call.clone()));
    let first = match select(first, Box::pin(sleep(usual))).await {
        Either::Left((outcome, _)) => return outcome,
        Either::Right(((), first)) => first,
    };
    if !facts.track.breaker().is_closed() || !facts.upstream.budget().withdraw_hedge() {
        return first.await;
    }
    facts.track.hedged();
    let second = Box::pin(next.oneshot(call.again(Reason::Hedge)));
    match select(first, second).await {
        Either::Left((Ok(reply), _)) | Either::Right((Ok(reply), _)) => Ok(reply),
        // A refusal is an answer, too.
        Either::Left((Err(refusal @ Failure { kind: CallErrorKind::Refused { .. }, .. }), _)) => Err(refusal),
        // The second one is an attempt that may fail for want of room: the first one's failure says more.
        Either::Left((Err(failure), second)) => second.await.map_err(|_| failure),
        Either::Right((Err(_), first)) => first.await,
    }
}
