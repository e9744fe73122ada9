//! The operation's own time, whoever waits for it.

use request_context::Deadline;
use tokio::time::timeout_at;
use tower::ServiceExt;

use super::Next;
use crate::answer::Reply;
use crate::call::Call;
use crate::error::{CallErrorKind, Failure};

layer! {
    /// Ends a call, all its attempts together, when the operation's time is over.
    Timeout: Reply => Reply = within
}

async fn within<S: Next<Reply>>(next: S, mut call: Call) -> Result<Reply, Failure> {
    call.deadline = call.deadline.min(Deadline::after(call.facts.timeout));
    let reply = timeout_at(call.deadline.instant(), next.oneshot(call)).await;
    reply.unwrap_or_else(|_| Err(Failure::new(CallErrorKind::Timeout)))
}
