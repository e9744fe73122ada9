//! What an answer must be.

use std::sync::Arc;

use http::StatusCode;
use tower::ServiceExt;

use super::Next;
use crate::answer::{Answer, Reply};
use crate::cache::{Entry, Freshness};
use crate::call::{Call, Facts};
use crate::error::{CallErrorKind, Failure};

layer! {
    /// Reads a reply as what the call's contract says, once for all who wait for it.
    Contract: Reply => Answer = checked
}

async fn checked<S: Next<Reply>>(next: S, call: Call) -> Result<Answer, Failure> {
    let (facts, known) = (call.facts.clone(), call.known.clone());
    let reply = next.oneshot(call).await;
    let (answer, step) = match reply {
        Ok(mut reply) => (read(&facts, known, &mut reply), reply.step),
        Err(failure) => (Err(failure), None),
    };
    if let Err(Failure { kind: CallErrorKind::ContractViolation { path }, .. }) = &answer {
        facts.track.violated(path);
        if let Some(mut step) = step {
            step.violated(path);
        }
    }
    answer
}

fn read(facts: &Facts, known: Option<Arc<Entry>>, reply: &mut Reply) -> Result<Answer, Failure> {
    let mut freshness = facts.kept().map(|_| Freshness::of(&reply.headers)).unwrap_or_default();
    // Only who has an answer asks whether it has changed.
    if reply.status == StatusCode::NOT_MODIFIED {
        let known =
            known.ok_or_else(|| Failure::violation("status", "status 304 to a call without a condition"))?;
        reply.step.iter_mut().for_each(|step| step.set("triptych.cache", "revalidated"));
        freshness.etag = freshness.etag.or_else(|| known.etag.clone());
        return Ok(Answer { freshness, ..known.answer() });
    }
    Ok(Answer { value: (facts.contract.read)(reply)?, size: reply.body.len(), freshness })
}
