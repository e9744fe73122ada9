//! One more try.

use std::time::Duration;

use http::HeaderName;
use tower::ServiceExt;

use super::Next;
use super::deadline::FLOOR;
use crate::answer::Reply;
use crate::call::{Call, IDEMPOTENCY_KEY, Reason};
use crate::error::{CallErrorKind, Failure};

/// The longest pause before the second attempt, unless the service asks for another: full jitter, so that those who
/// failed together do not come back together (Brooker, "Exponential Backoff And Jitter", 2015).
const PAUSE: Duration = Duration::from_millis(50);

layer! {
    /// Makes a second attempt where nothing can happen twice, the service may do better, there is time, and the budget
    /// pays for it.
    Retry: Reply => Reply = again
}

async fn again<S: Next<Reply>>(next: S, call: Call) -> Result<Reply, Failure> {
    let upstream = call.facts.upstream.clone();
    upstream.budget().call();
    let failure = match next.clone().oneshot(call.clone()).await {
        Err(failure) if failure.repeatable && may_repeat(&call) && upstream.settings().retries => failure,
        outcome => return outcome,
    };
    let pause = pause(&failure);
    if call.time_left() < pause + FLOOR || !upstream.budget().withdraw() {
        return Err(failure);
    }
    call.facts.track.retried();
    tokio::time::sleep(pause).await;
    next.oneshot(call.again(Reason::Retry)).await
}

/// Reads, and writes that the service recognises.
fn may_repeat(call: &Call) -> bool {
    let has = |wanted: &HeaderName| call.facts.headers.iter().any(|(name, _)| name == wanted);
    call.facts.operation.is_read() || has(&IDEMPOTENCY_KEY)
}

fn pause(failure: &Failure) -> Duration {
    let jitter = PAUSE.mul_f64(rand::random());
    match failure.kind {
        CallErrorKind::Shed { retry_after: Some(wait) } => wait + jitter,
        _ => jitter,
    }
}
