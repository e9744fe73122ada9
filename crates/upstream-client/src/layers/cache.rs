//! Answers that are at hand.

use std::sync::Arc;
use std::time::Duration;

use tower::ServiceExt;

use super::Next;
use crate::answer::Answer;
use crate::cache::{Cached, Entry, Tags, Use};
use crate::call::Call;
use crate::error::{CallErrorKind, Failure};

layer! {
    /// Gives what is kept, as its rule allows, and after a write forgets what the write made old.
    Cache: Answer => Answer = at_hand
}

layer! {
    /// Keeps what comes back. Below coalescing, so that it is done once for all who wait.
    Keep: Answer => Answer = keep
}

async fn at_hand<S: Next<Answer>>(next: S, call: Call) -> Result<Answer, Failure> {
    let facts = call.facts.clone();
    let cache = facts.upstream.cache();
    let Some((rule, key)) = facts.kept() else {
        let outcome = next.oneshot(call).await;
        // Whatever came of it: also a write that seems to have failed may have been done.
        if !facts.operation.invalidates.is_empty() {
            let tags = Tags::of(facts.operation.invalidates, &facts.ctx);
            facts.upstream.outbound().invalidate(tags.as_slice()).await;
        }
        return outcome;
    };
    let found = cache.get(key);
    let used = found.as_ref().map(|entry| entry.usable(rule));
    if let (Some(entry), Some(used @ (Use::Fresh | Use::WhileRevalidating))) = (&found, used) {
        cache.count(Some(used));
        if used == Use::WhileRevalidating && entry.begin_refresh() {
            tokio::spawn(refresh(next, call, entry.clone()));
        }
        return Ok(entry.answer());
    }
    cache.count(None);
    let failure = match next.oneshot(call.revalidating(found.clone())).await {
        Ok(answer) => return Ok(answer),
        Err(failure) => failure,
    };
    let old = found.filter(|entry| may_be_old(&failure, entry.age(), rule, facts.ctx.stale_ok()));
    let Some(entry) = old else { return Err(failure) };
    cache.count(Some(Use::IfError));
    facts.ctx.served_stale(entry.age());
    Ok(entry.answer())
}

/// On its own time: nobody waits for it.
async fn refresh<S: Next<Answer>>(next: S, call: Call, entry: Arc<Entry>) {
    let call = call.revalidating(Some(entry.clone())).on_its_own_time();
    // A failure is seen in the state of the upstream; the answer at hand serves until its time is over.
    let _ = next.oneshot(call).await;
    entry.end_refresh();
}

/// Whether the service failed, rather than said something that is true now.
fn may_be_old(failure: &Failure, age: Duration, rule: &Cached, taken: Option<Duration>) -> bool {
    let failed = match failure.kind {
        CallErrorKind::Timeout
        | CallErrorKind::Unavailable
        | CallErrorKind::Shed { .. }
        | CallErrorKind::BreakerOpen { .. }
        | CallErrorKind::ContractViolation { .. } => true,
        CallErrorKind::Refused { .. } | CallErrorKind::Unauthorized => false,
    };
    failed && taken.is_some_and(|taken| age <= taken.min(rule.stale_if_error))
}

async fn keep<S: Next<Answer>>(next: S, call: Call) -> Result<Answer, Failure> {
    let facts = call.facts.clone();
    let Some((rule, key)) = facts.kept() else {
        return next.oneshot(call).await;
    };
    let cache = facts.upstream.cache();
    let asked = cache.now();
    let outcome = next.oneshot(call).await;
    match &outcome {
        Ok(answer) => cache.put(key, rule, Tags::of(rule.tags, &facts.ctx), asked, answer),
        // What is there no more, or not for this caller, is not given to them from memory either.
        Err(Failure { kind: CallErrorKind::Refused { .. }, .. }) => cache.forget(key),
        Err(_) => {}
    }
    outcome
}
