//! No more at once than the service can take.

use tower::ServiceExt;

use super::Next;
use crate::answer::Reply;
use crate::call::Call;
use crate::error::{CallErrorKind, Failure};
use crate::limiter::Outcome;

/// The part of its remaining time that a call may spend waiting for a place.
const WAITING: u32 = 10;

layer! {
    /// Takes a place at the service, the most important call first, and learns from how long the answer takes.
    Limit: Reply => Reply = in_turn
}

async fn in_turn<S: Next<Reply>>(next: S, call: Call) -> Result<Reply, Failure> {
    let facts = call.facts.clone();
    let (limiter, priority) = (facts.upstream.limiter(), facts.ctx.priority());
    let permit = if call.is_spare() {
        limiter.try_acquire(priority)
    } else {
        limiter.acquire(priority, call.time_left() / WAITING).await.ok()
    };
    let Some(permit) = permit else {
        if !call.is_spare() {
            facts.track.shed();
        }
        return Err(Failure::new(CallErrorKind::Shed { retry_after: None }));
    };
    facts.track.attempted();
    let watched = call.watch((permit, facts.clone()), |(permit, facts), used_up| {
        permit.finished(if used_up { Outcome::Overloaded } else { Outcome::Ignored });
        facts.track.given_up();
    });
    call.went_out(watched.since());
    let outcome = next.oneshot(call).await;
    let ((permit, facts), span) = watched.finish();
    let took = span.elapsed();
    match &outcome {
        // How fast a stream is opened says nothing of how fast the service works.
        Ok(_) if facts.operation.streams => permit.finished(Outcome::Ignored),
        Ok(_) => {
            facts.track.latency().record(took);
            permit.finished(Outcome::Success);
        }
        Err(Failure { kind: CallErrorKind::Refused { .. }, .. }) => permit.finished(Outcome::Success),
        Err(Failure { kind: CallErrorKind::Shed { .. }, .. }) => permit.finished(Outcome::Overloaded),
        Err(_) => permit.finished(Outcome::Ignored),
    }
    outcome
}
