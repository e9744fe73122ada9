//! The vocabulary of one request: its id, trace, deadline, priority and caller.
//!
//! Both halves of a BFF speak it: `middleware` writes it down when a request comes in, and
//! `upstream-client` reads it when a call goes out. It knows neither of the two.

mod authenticate;
mod baggage;
mod caller;
mod deadline;
mod observe;
mod origin;
mod priority;
mod public_url;
mod record;
mod request_id;
mod section;
mod trace;
mod tracestate;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

pub use authenticate::Authenticate;
pub use baggage::{BAGGAGE, Baggage};
pub use caller::{AccessToken, Caller, Scopes, Subject};
pub use deadline::Deadline;
pub use observe::{Completed, Observe, Unobserved, method_name};
pub use origin::{NotAnOrigin, Origin};
pub use priority::Priority;
pub use public_url::{NotPublic, PublicUrl};
pub use record::{Recorded, Work};
pub use request_id::{REQUEST_ID, RequestId};
pub use trace::{TRACEPARENT, TRACESTATE, Trace};

use opentelemetry::StringValue;
use opentelemetry::trace::{SpanId, SpanKind};

use record::Record;
use section::Section;

/// The facts of one request, or of one section of its answer. Cheap to clone; a clone can outlive the request.
#[derive(Clone, Debug)]
pub struct RequestContext {
    facts: Arc<Facts>,
    section: Option<Arc<Section>>,
    /// What is done now is a part of this span.
    span: SpanId,
}

#[derive(Clone, Debug)]
struct Facts {
    request_id: RequestId,
    trace: Trace,
    record: Arc<Record>,
    deadline: Deadline,
    optional_share: f64,
    patience: Duration,
    priority: Priority,
    client: Option<IpAddr>,
    caller: Option<Caller>,
    baggage: Option<Baggage>,
}

impl RequestContext {
    /// A request nobody has been identified for yet.
    pub fn new(request_id: RequestId, trace: Trace, deadline: Deadline) -> Self {
        let (priority, optional_share, patience) = (Priority::Page, 1.0, Duration::MAX);
        let (client, caller, baggage) = (None, None, None);
        let (span, record) = (trace.span_id(), Arc::new(Record::begin()));
        let facts = Facts {
            request_id,
            trace,
            record,
            deadline,
            optional_share,
            patience,
            priority,
            client,
            caller,
            baggage,
        };
        Self { facts: Arc::new(facts), section: None, span }
    }

    /// The same request, whose optional sections may take this share of the time that is left when they
    /// begin: from 0 to 1, which it is if nothing else is said.
    #[must_use]
    pub fn with_optional_share(mut self, share: f64) -> Self {
        Arc::make_mut(&mut self.facts).optional_share = share.clamp(0.0, 1.0);
        self
    }

    /// The same request, which could have taken so long if its client were in no hurry.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        Arc::make_mut(&mut self.facts).patience = patience;
        self
    }

    /// The same request, which came from this address.
    #[must_use]
    pub fn with_client(mut self, address: IpAddr) -> Self {
        Arc::make_mut(&mut self.facts).client = Some(address);
        self
    }

    /// The same request, made by `caller`.
    #[must_use]
    pub fn with_caller(&self, caller: Caller) -> Self {
        self.facts.record.identified(&caller);
        self.with(Facts { caller: Some(caller), ..(*self.facts).clone() })
    }

    /// The same request, made by whom it turned out to be made by further in.
    #[must_use]
    pub fn as_identified(&self) -> Self {
        match self.facts.record.caller() {
            Some(caller) => self.with(Facts { caller: Some(caller.clone()), ..(*self.facts).clone() }),
            None => self.clone(),
        }
    }

    /// The same request, of which others said this.
    #[must_use]
    pub fn with_baggage(mut self, baggage: Baggage) -> Self {
        Arc::make_mut(&mut self.facts).baggage = Some(baggage);
        self
    }

    /// The same request, for what is done on its behalf once its answer has begun: with a deadline of its own.
    #[must_use]
    pub fn with_deadline(&self, deadline: Deadline) -> Self {
        // With a record of its own, which nobody reads: the request's is read when its answer ends, and what goes on
        // for an hour would fill it.
        let record = Arc::new(Record::begin());
        let facts = Facts { record, deadline, ..(*self.facts).clone() };
        Self { facts: Arc::new(facts), section: None, span: self.span }
    }

    /// What is done on the occasion of this request and serves others as well: recorded with it, but with a deadline of
    /// its own and on behalf of nobody.
    #[must_use]
    pub fn detached(&self, deadline: Deadline) -> Self {
        let new = Self::new(self.request_id().clone(), self.trace().clone(), deadline);
        let facts = Facts { record: Arc::clone(&self.facts.record), ..(*new.facts).clone() };
        Self { facts: Arc::new(facts), section: None, span: self.span }
    }

    /// The same request, as important as `priority` says.
    #[must_use]
    pub fn with_priority(&self, priority: Priority) -> Self {
        self.with(Facts { priority, ..(*self.facts).clone() })
    }

    /// The same request for one section of its answer, which must be there by `deadline`, and may be as old
    /// as `stale_ok` when nothing newer can be had.
    #[must_use]
    pub fn for_section(&self, deadline: Deadline, stale_ok: Option<Duration>) -> Self {
        let section = Section::new(deadline.min(self.deadline()), stale_ok);
        Self { facts: Arc::clone(&self.facts), section: Some(Arc::new(section)), span: self.span }
    }

    /// The same request, for what is a part of this work: what [`begin`](Self::begin)s on it is a child of its span.
    #[must_use]
    pub fn within(&self, work: &Work) -> Self {
        Self { span: work.id(), ..self.clone() }
    }

    /// Begins a piece of work that is recorded as a span, a child of the span that this context is in.
    pub fn begin(&self, kind: SpanKind, name: impl Into<StringValue>) -> Work {
        Work::begin(&self.facts.record, self.span, kind, name.into())
    }

    /// What has been recorded of this request so far; work that still goes on is not in it. The next one who asks is
    /// given what came since.
    pub fn recorded(&self) -> Vec<Recorded> {
        self.facts.record.take()
    }

    /// When this request began, on the clock on the wall.
    pub fn began_at(&self) -> SystemTime {
        self.facts.record.began_at()
    }

    /// The id that answers, logs and upstream calls of this request carry.
    pub fn request_id(&self) -> &RequestId {
        &self.facts.request_id
    }

    /// The request's place in its distributed trace.
    pub fn trace(&self) -> &Trace {
        &self.facts.trace
    }

    /// The moment by which the answer must be on its way, or the section there.
    pub fn deadline(&self) -> Deadline {
        self.section.as_ref().map_or(self.facts.deadline, |section| section.deadline)
    }

    /// By when an optional section that begins now must be there.
    ///
    /// It is a share of the time that is left, so that what follows a slow required section is not lost on
    /// its account.
    pub fn optional_deadline(&self) -> Deadline {
        Deadline::after(self.deadline().remaining().mul_f64(self.facts.optional_share))
    }

    /// How long this request, or section, may take if its client is in no hurry. A service that does not answer in
    /// less cannot be blamed for it.
    pub fn patience(&self) -> Duration {
        match &self.section {
            Some(section) if section.deadline < self.facts.deadline => {
                Duration::try_from_secs_f64(self.facts.patience.as_secs_f64() * self.facts.optional_share)
                    .unwrap_or(Duration::MAX)
            }
            _ => self.facts.patience,
        }
    }

    /// How old an answer may be when no new one can be had; `None` when an old one is no answer.
    pub fn stale_ok(&self) -> Option<Duration> {
        self.section.as_ref()?.stale_ok
    }

    /// Notes that an answer of this age was used, since no new one could be had.
    pub fn served_stale(&self, age: Duration) {
        if let Some(section) = &self.section {
            section.served_stale(age);
        }
    }

    /// The age of the oldest answer that [`served_stale`](Self::served_stale) was told of in this section.
    pub fn stale_age(&self) -> Option<Duration> {
        self.section.as_ref()?.stale_age()
    }

    /// How long this request outlasts others under load.
    pub fn priority(&self) -> Priority {
        self.facts.priority
    }

    /// Where the request came from, as far as our own proxies know: the address of a machine, which many people
    /// may share. For limits, never for identity.
    pub fn client(&self) -> Option<IpAddr> {
        self.facts.client
    }

    /// What those we trust said of the request, for those whom we ask on its behalf.
    pub fn baggage(&self) -> Option<&Baggage> {
        self.facts.baggage.as_ref()
    }

    /// Who is calling, once `identity` has verified a credential.
    pub fn caller(&self) -> Option<&Caller> {
        self.facts.caller.as_ref()
    }

    fn with(&self, facts: Facts) -> Self {
        Self { facts: Arc::new(facts), section: self.section.clone(), span: self.span }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(left: Duration) -> RequestContext {
        RequestContext::new(RequestId::generate(), Trace::start(), Deadline::after(left))
    }

    #[tokio::test(start_paused = true)]
    async fn an_optional_section_has_its_share_of_what_is_left() {
        let ctx = request(Duration::from_secs(2)).with_optional_share(0.4);
        for (passed, left) in [(0, 800), (1000, 400), (500, 200), (1000, 0)] {
            tokio::time::advance(Duration::from_millis(passed)).await;
            assert_eq!(ctx.optional_deadline().remaining(), Duration::from_millis(left));
        }
        let whole = request(Duration::from_secs(2));
        assert_eq!(whole.optional_deadline(), whole.deadline());
    }

    #[tokio::test(start_paused = true)]
    async fn a_section_has_its_own_deadline_and_never_a_later_one() {
        let ctx = request(Duration::from_secs(2));
        for (asked, got) in [(1, 1), (3, 2)] {
            let section = ctx.for_section(Deadline::after(Duration::from_secs(asked)), None);
            assert_eq!(section.deadline().remaining(), Duration::from_secs(got));
            assert_eq!(section.with_priority(Priority::Batch).deadline(), section.deadline());
        }
        assert_eq!(ctx.deadline().remaining(), Duration::from_secs(2));
    }

    #[tokio::test(start_paused = true)]
    async fn what_goes_on_after_the_answer_has_a_deadline_of_its_own() {
        let ctx = request(Duration::from_secs(2));
        let section = ctx.for_section(ctx.deadline(), None);
        tokio::time::advance(Duration::from_hours(1)).await;
        for ctx in [&ctx, &section] {
            let later = ctx.with_deadline(Deadline::after(Duration::from_secs(3)));
            assert_eq!(
                (later.deadline().remaining(), later.request_id()),
                (Duration::from_secs(3), ctx.request_id())
            );
            drop(later.begin(SpanKind::Internal, "GET /orders/events"));
            assert!(ctx.recorded().is_empty(), "it would fill the request's record");
        }
        assert_eq!(ctx.deadline().remaining(), Duration::ZERO);
    }

    #[tokio::test]
    async fn a_section_knows_its_oldest_answer_and_no_other_sections() {
        let ctx = request(Duration::from_secs(2));
        let hour = Some(Duration::from_hours(1));
        let section = ctx.for_section(ctx.deadline(), hour);
        let clone = section.clone();
        assert_eq!((section.stale_ok(), section.stale_age()), (hour, None));
        for age in [3, 9, 5] {
            clone.served_stale(Duration::from_secs(age));
        }
        assert_eq!(section.stale_age(), Some(Duration::from_secs(9)));

        assert_eq!(section.for_section(ctx.deadline(), None).stale_age(), None);
        ctx.served_stale(Duration::from_secs(1));
        assert_eq!((ctx.stale_ok(), ctx.stale_age()), (None, None));
    }
}
