//! Answers that are at hand.

use std::sync::Arc;

use tower::ServiceExt;

use super::Next;
use crate::answer::Answer;
use crate::cache::{Entry, Tags, Use};
use crate::call::{Call, Facts, Step};
use crate::error::{CallErrorKind, Failure};
use crate::outcome::Outcome;

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
        if !facts.operation.is_read() {
            forget_what_is_old(&facts).await;
        }
        return outcome;
    };
    let found = cache.get(key);
    let used = found.as_ref().map(|entry| entry.usable(rule));
    if let (Some(entry), Some(used @ (Use::Fresh | Use::WhileRevalidating))) = (&found, used) {
        cache.count(Some(used));
        at_hand_already(&facts, used);
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
    let may_be_old = |entry: &Arc<Entry>| {
        let taken = facts.ctx.stale_ok().map(|taken| taken.min(rule.stale_if_error));
        is_failure(&failure)
            && !cache.is_outdated(entry)
            && taken.is_some_and(|taken| entry.may_be_kept_until(taken))
    };
    let old = found.filter(may_be_old);
    let Some(entry) = old else { return Err(failure) };
    cache.count(Some(Use::IfError));
    at_hand_already(&facts, Use::IfError);
    facts.ctx.served_stale(entry.age());
    Ok(entry.answer())
}

/// Records that an answer was used so.
fn at_hand_already(facts: &Arc<Facts>, used: Use) {
    let mut step = Step::begin(facts, facts.ctx.deadline());
    step.set("triptych.cache", used.as_str());
    step.ended(Outcome::Ok, None);
}

/// After a write, whatever came of it: also one that seems to have failed may have been done.
async fn forget_what_is_old(facts: &Facts) {
    // What was asked before it does not answer what is asked after it.
    if let Some(caller) = facts.ctx.caller() {
        facts.upstream.flights().detach(caller);
    }
    if !facts.operation.invalidates.is_empty() {
        let tags = Tags::of(facts.operation.invalidates, &facts.ctx);
        facts.upstream.outbound().invalidate(tags.as_slice()).await;
    }
}

/// On its own time: nobody waits for it.
async fn refresh<S: Next<Answer>>(next: S, call: Call, entry: Arc<Entry>) {
    let call = call.revalidating(Some(entry.clone())).on_its_own_time();
    let _refreshing = Refreshing(entry);
    // A failure is seen in the state of the upstream; the answer at hand serves until its time is over.
    let _ = next.oneshot(call).await;
}

/// Lets the next one refresh, however this refresh ends.
struct Refreshing(Arc<Entry>);

impl Drop for Refreshing {
    fn drop(&mut self) {
        self.0.end_refresh();
    }
}

/// Whether the service failed, rather than said something that is true now.
fn is_failure(failure: &Failure) -> bool {
    match failure.kind {
        CallErrorKind::Timeout
        | CallErrorKind::Unavailable
        | CallErrorKind::Shed { .. }
        | CallErrorKind::BreakerOpen { .. }
        | CallErrorKind::ContractViolation { .. } => true,
        CallErrorKind::Refused { .. } | CallErrorKind::Unauthorized => false,
    }
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
