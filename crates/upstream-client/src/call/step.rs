//! What is recorded of a call: a span for each attempt, and for whatever spared it one.

use std::fmt;
use std::sync::{Arc, OnceLock};

use http::StatusCode;
use opentelemetry::trace::{SpanId, SpanKind};
use opentelemetry::{KeyValue, Value};
use request_context::{Deadline, Work};
use tokio::time::Instant;

use super::Facts;
use crate::outcome::Outcome;

/// Why an attempt is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    First,
    Retry,
    Hedge,
    FreshToken,
}

/// When an attempt went out; empty until then.
pub(crate) type Sent = Arc<OnceLock<Instant>>;

/// A step of a call that goes on: an attempt, or what spared it one. It is recorded when this is dropped, so also when
/// its future is.
pub(crate) struct Step {
    work: Work,
    facts: Arc<Facts>,
    /// Until when somebody waits for it.
    until: Deadline,
    /// Of an attempt.
    sent: Option<Sent>,
    outcome: Option<Outcome>,
    /// Whose attempt it waits for, if not for its own.
    leader: Option<Arc<Facts>>,
}

impl Step {
    pub(crate) fn begin(facts: &Arc<Facts>, until: Deadline) -> Self {
        let labels = facts.track.labels();
        let mut work = facts.ctx.begin(SpanKind::Internal, labels.span.clone());
        work.describe(labels.step());
        Self { work, facts: facts.clone(), until, sent: None, outcome: None, leader: None }
    }

    /// An attempt, and where to say that it went out.
    pub(crate) fn attempt(facts: &Arc<Facts>, until: Deadline) -> (Self, Sent) {
        let (sent, mut step) = (Sent::default(), Self::begin(facts, until));
        step.sent = Some(sent.clone());
        facts.attempted(step.id());
        (step, sent)
    }

    /// To wait for what `leader` asks.
    pub(crate) fn beside(facts: &Arc<Facts>, until: Deadline, leader: Arc<Facts>) -> Self {
        let mut step = Self::begin(facts, until);
        step.leader = Some(leader);
        step.set("triptych.coalesced", true);
        step
    }

    pub(crate) fn id(&self) -> SpanId {
        self.work.id()
    }

    pub(crate) fn set(&mut self, key: &'static str, value: impl Into<Value>) {
        self.work.set(key, value);
    }

    /// It has an outcome, and the status of an answer if it had one. There may be more to say of it.
    pub(crate) fn ended(&mut self, outcome: Outcome, status: Option<StatusCode>) {
        self.work.stop();
        self.outcome = Some(outcome);
        if let Some(status) = status {
            self.set("http.response.status_code", i64::from(status.as_u16()));
        }
        if let Some(at) = self.sent.take().and_then(|sent| sent.get().copied()) {
            let waited = self.work.went_out(at).as_millis();
            if waited > 0 {
                self.set("triptych.wait", i64::try_from(waited).unwrap_or(i64::MAX));
            }
            self.time(at, outcome, status);
        }
    }

    /// Its answer was not what the contract says.
    pub(crate) fn violated(&mut self, path: &str) {
        self.outcome = Some(Outcome::ContractViolation);
        self.set("triptych.contract.path", path.to_owned());
    }

    /// Says how long the service took, if anybody wants to know.
    fn time(&self, sent: Instant, outcome: Outcome, status: Option<StatusCode>) {
        let Some(durations) = self.facts.upstream.outbound().durations() else { return };
        let mut attributes = Vec::with_capacity(7);
        attributes.extend_from_slice(self.facts.track.labels().exchange());
        if let Some(status) = status {
            attributes.push(KeyValue::new("http.response.status_code", i64::from(status.as_u16())));
        }
        if outcome != Outcome::Ok {
            attributes.push(KeyValue::new("error.type", outcome.as_str()));
        }
        durations.record(sent.elapsed().as_secs_f64(), &attributes);
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        if self.outcome.is_none() {
            // Ended from outside: its time was over, or nobody waited any more.
            let over = self.until.remaining().is_zero();
            self.ended(if over { Outcome::Timeout } else { Outcome::Cancelled }, None);
        }
        let outcome = self.outcome.unwrap_or(Outcome::Cancelled);
        if outcome != Outcome::Ok {
            self.set("triptych.outcome", outcome.as_str());
        }
        if !matches!(outcome, Outcome::Ok | Outcome::Cancelled) {
            self.work.fail(outcome.as_str());
        }
        if let Some(attempt) = self.leader.as_ref().and_then(|leader| leader.attempt()) {
            self.work.waited_for(attempt);
        }
    }
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.work.fmt(f)
    }
}

impl Reason {
    /// Why there is another attempt than the first.
    pub(crate) const fn of_another(self) -> Option<&'static str> {
        match self {
            Self::First => None,
            Self::Retry => Some("retry"),
            Self::Hedge => Some("hedge"),
            Self::FreshToken => Some("fresh_token"),
        }
    }
}
