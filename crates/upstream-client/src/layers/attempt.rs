//! The record of each attempt.

use tower::ServiceExt;

use super::Next;
use crate::answer::Reply;
use crate::call::{Call, Step};
use crate::error::{CallErrorKind, Failure};
use crate::outcome::Outcome;

layer! {
    /// Records what happens below as one span of the request, which the service's own is told to be a part of.
    Attempt: Reply => Reply = recorded
}

async fn recorded<S: Next<Reply>>(next: S, mut call: Call) -> Result<Reply, Failure> {
    let (mut step, sent) = Step::attempt(&call.facts, call.deadline.min(call.told));
    if let Some(why) = call.reason.of_another() {
        step.set("triptych.attempt", why);
        step.set("http.request.resend_count", call.resends);
    }
    (call.span, call.sent) = (step.id(), Some(sent));
    let result = next.oneshot(call).await;
    let outcome = Outcome::of(&result);
    match result {
        Ok(mut reply) => {
            step.ended(outcome, Some(reply.status));
            if reply.stream.is_none() {
                step.set("http.response.body.size", i64::try_from(reply.body.len()).unwrap_or(i64::MAX));
            }
            // Whoever reads the reply may find that it breaks its contract.
            reply.step = Some(step);
            Ok(reply)
        }
        Err(failure) => {
            step.ended(outcome, failure.status);
            if let CallErrorKind::ContractViolation { path } = &failure.kind {
                step.violated(path);
            }
            Err(failure)
        }
    }
}
