//! No calls to what keeps failing.

use tower::ServiceExt;

use super::Next;
use crate::answer::Reply;
use crate::call::Call;
use crate::error::{CallErrorKind, Failure};

layer! {
    /// Refuses calls of an operation that keeps failing, but for a probe now and then.
    Breaker: Reply => Reply = guarded
}

async fn guarded<S: Next<Reply>>(next: S, call: Call) -> Result<Reply, Failure> {
    let facts = call.facts.clone();
    let admission = facts.track.breaker().admit().map_err(|open| {
        facts.track.refused();
        Failure::new(CallErrorKind::BreakerOpen { retry_after: open.retry_after })
    })?;
    let watched = call.watch(admission, |admission, used_up| {
        // Ended from outside. Only a timeout that was the service's own fault speaks against it.
        if used_up {
            admission.failed();
        }
    });
    let outcome = next.oneshot(call).await;
    let (admission, span) = watched.finish();
    match &outcome {
        Ok(_) => admission.succeeded(),
        Err(Failure { kind: CallErrorKind::Timeout, .. }) if !span.was_full() => drop(admission),
        Err(failure) if failure.unhealthy => admission.failed(),
        Err(Failure { kind: CallErrorKind::Refused { .. } | CallErrorKind::Unauthorized, .. }) => {
            admission.succeeded();
        }
        Err(_) => drop(admission),
    }
    outcome
}
