//! The request's time: no call outlives it.

use std::time::Duration;

use tokio::time::timeout_at;
use tower::ServiceExt;

use super::Next;
use crate::answer::Answer;
use crate::call::{Call, Step};
use crate::error::{CallErrorKind, Failure};
use crate::outcome::Outcome;

/// What shaping and sending the answer needs after the last call has ended.
pub(super) const RESERVE: Duration = Duration::from_millis(20);
/// The way back takes time too: a service is told that much less than is left. With [`RESERVE`], 50 ms before the
/// request's own deadline.
pub(super) const WAY_BACK: Duration = Duration::from_millis(30);
/// A call with less time than this is not made: what the service would be told is too little to answer in.
pub(super) const FLOOR: Duration = Duration::from_millis(40);

layer! {
    /// Waits as long as the request can, and makes no call that cannot fit.
    Deadline: Answer => Answer = within
}

async fn within<S: Next<Answer>>(next: S, mut call: Call) -> Result<Answer, Failure> {
    let deadline = call.deadline.minus(RESERVE);
    if deadline.remaining() < FLOOR {
        Step::begin(&call.facts, deadline).ended(Outcome::Timeout, None);
        return Err(Failure::new(CallErrorKind::Timeout));
    }
    (call.deadline, call.told) = (deadline, deadline);
    let answer = timeout_at(deadline.instant(), next.oneshot(call)).await;
    answer.unwrap_or_else(|_| Err(Failure::new(CallErrorKind::Timeout)))
}
