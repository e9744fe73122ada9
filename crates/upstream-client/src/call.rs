//! One call, from its parts to its typed answer.

mod builder;
mod facts;
mod step;
mod watch;

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::trace::SpanId;
use request_context::Deadline;
use tokio::time::Instant;

use crate::cache::Entry;

pub use builder::CallBuilder;
pub(crate) use facts::Facts;
pub(crate) use step::{Reason, Sent, Step};

/// `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header).
pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// As much time as no call needs.
const LONG: Duration = Duration::from_hours(1);

/// What goes through the stack. Cheap to clone: what differs between two attempts is small.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) facts: Arc<Facts>,
    /// Until when somebody waits for the answer.
    pub(crate) deadline: Deadline,
    /// What the service is told of it. Not always the same: who shares a call may wait longer than who began it.
    pub(crate) told: Deadline,
    /// An answer that the service may say still holds.
    pub(crate) known: Option<Arc<Entry>>,
    /// Why the next attempt is made, and how many came before it.
    pub(crate) reason: Reason,
    pub(crate) resends: i64,
    /// Set by the layers, for this attempt.
    pub(crate) authorization: Option<HeaderValue>,
    /// Boxed, since a call is moved from layer to layer and an empty map is as large as all else in it.
    pub(crate) headers: Option<Box<HeaderMap>>,
    /// The span that the service's own is a part of.
    pub(crate) span: SpanId,
    /// Where this attempt says that it went out.
    pub(crate) sent: Option<Sent>,
}

impl Call {
    fn new(facts: Facts) -> Self {
        let (deadline, span) = (facts.ctx.deadline(), facts.ctx.trace().span_id());
        Self {
            facts: Arc::new(facts),
            deadline,
            told: deadline,
            known: None,
            reason: Reason::First,
            resends: 0,
            authorization: None,
            headers: None,
            span,
            sent: None,
        }
    }

    /// What is left of the shorter of its two deadlines.
    pub(crate) fn time_left(&self) -> Duration {
        self.deadline.min(self.told).remaining()
    }

    /// The same, asking whether `known` still holds.
    pub(crate) fn revalidating(self, known: Option<Arc<Entry>>) -> Self {
        Self { known: known.filter(|known| known.etag.is_some()), ..self }
    }

    /// The same, for more than the one who makes it: its operation's timeout ends it, and no request's deadline.
    pub(crate) fn on_its_own_time(self) -> Self {
        Self { deadline: Deadline::after(LONG), ..self }
    }

    /// The same, asked once more for this reason.
    pub(crate) fn again(self, reason: Reason) -> Self {
        Self { reason, resends: self.resends + 1, ..self }
    }

    /// Whether it is an attempt that is not worth a place that another call could have.
    pub(crate) fn is_spare(&self) -> bool {
        self.reason == Reason::Hedge
    }

    /// Says that this attempt went out.
    pub(crate) fn went_out(&self, at: Instant) {
        if let Some(sent) = &self.sent {
            // Once is enough: an attempt has one place.
            let _ = sent.set(at);
        }
    }
}
