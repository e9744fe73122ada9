//! What happened to one request: the spans of its sections and calls.
//!
//! Every request is recorded, since whether it failed or was slow is known only at its end; who exports it, draws it or
//! counts it reads the same record then. So a span here is a list of
//! attributes and one lock, and nothing is formatted.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status};
use opentelemetry::{Key, KeyValue, StringValue, Value};
use tokio::time::Instant;

use crate::Caller;
use crate::trace::new_span_id;

/// More spans than any screen has. What follows is counted and not kept.
const MOST_SPANS: usize = 256;

/// The record of a request.
#[derive(Debug)]
pub(crate) struct Record {
    began: Instant,
    began_at: SystemTime,
    spans: Mutex<Vec<Recorded>>,
    kept: AtomicUsize,
    caller: OnceLock<Caller>,
}

/// A span that has ended.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Its id.
    pub id: SpanId,
    /// The span that it is a part of: another one of the record, or the request's own.
    pub parent: SpanId,
    /// `Client` for a call that went out, `Internal` for everything else.
    pub kind: SpanKind,
    /// Its name, one of few.
    pub name: StringValue,
    /// How long after the request it began.
    pub began: Duration,
    /// How long it took.
    pub took: Duration,
    /// What is known beforehand of all work of its kind.
    pub known: Option<Arc<[KeyValue]>>,
    /// What is said of it beyond that.
    pub said: Vec<KeyValue>,
    /// Whether it failed.
    pub status: Status,
    /// Another span that it waited for without being a part of it.
    pub link: Option<SpanContext>,
}

/// A piece of work that goes on. It is recorded when this is dropped, so also when its future is.
#[derive(Debug)]
#[must_use = "what is dropped at once took no time"]
pub struct Work {
    record: Arc<Record>,
    since: Instant,
    stopped: bool,
    span: Option<Recorded>,
}

impl Recorded {
    /// What there is to say of it, by names of OpenTelemetry's semantic conventions where there is one.
    pub fn attributes(&self) -> impl Iterator<Item = &KeyValue> {
        self.known.iter().flat_map(|known| known.iter()).chain(&self.said)
    }

    /// What is said of it under this name.
    pub fn attribute(&self, key: &str) -> Option<&KeyValue> {
        self.attributes().find(|attribute| attribute.key.as_str() == key)
    }

    /// The same, for whoever keeps it.
    pub fn into_attributes(self) -> Vec<KeyValue> {
        match self.known {
            Some(known) => [&known[..], &self.said].concat(),
            None => self.said,
        }
    }
}

impl Record {
    pub(crate) fn begin() -> Self {
        Self {
            began: Instant::now(),
            began_at: SystemTime::now(),
            spans: Mutex::default(),
            kept: AtomicUsize::new(0),
            caller: OnceLock::new(),
        }
    }

    pub(crate) fn began_at(&self) -> SystemTime {
        self.began_at
    }

    /// Who the request is made by: known after whoever follows it began to.
    pub(crate) fn identified(&self, caller: &Caller) {
        let _ = self.caller.set(caller.clone());
    }

    pub(crate) fn caller(&self) -> Option<&Caller> {
        self.caller.get()
    }

    pub(crate) fn take(&self) -> Vec<Recorded> {
        std::mem::take(&mut *self.spans.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn add(&self, span: Recorded) {
        // Counted apart from the list, which is taken away and could be filled again for ever.
        if self.kept.fetch_add(1, Ordering::Relaxed) < MOST_SPANS {
            self.spans.lock().unwrap_or_else(PoisonError::into_inner).push(span);
        }
    }
}

impl Work {
    pub(crate) fn begin(record: &Arc<Record>, parent: SpanId, kind: SpanKind, name: StringValue) -> Self {
        let since = Instant::now();
        let span = Recorded {
            id: new_span_id(),
            parent,
            kind,
            name,
            began: since - record.began,
            took: Duration::ZERO,
            known: None,
            said: Vec::new(),
            status: Status::Unset,
            link: None,
        };
        Self { record: Arc::clone(record), since, stopped: false, span: Some(span) }
    }

    fn span(&self) -> &Recorded {
        self.span.as_ref().expect("only the drop takes it")
    }

    fn span_mut(&mut self) -> &mut Recorded {
        self.span.as_mut().expect("only the drop takes it")
    }

    /// The id of its span.
    pub fn id(&self) -> SpanId {
        self.span().id
    }

    /// Says something of it.
    pub fn set(&mut self, key: &'static str, value: impl Into<Value>) {
        self.span_mut().said.push(KeyValue::new(Key::from_static_str(key), value));
    }

    /// Says what is known beforehand of all work of its kind.
    pub fn describe(&mut self, known: &Arc<[KeyValue]>) {
        self.span_mut().known = Some(Arc::clone(known));
    }

    /// Says that it went out, at this moment: what it waited for from then on was another service. Gives how long it had
    /// not.
    pub fn went_out(&mut self, at: Instant) -> Duration {
        self.span_mut().kind = SpanKind::Client;
        at.saturating_duration_since(self.since)
    }

    /// Says that it failed, for a reason that is one of few.
    pub fn fail(&mut self, error_type: impl Into<StringValue>) {
        self.span_mut().status = Status::error("");
        self.set("error.type", Value::String(error_type.into()));
    }

    /// Says that it waited for this span, which is not a part of it.
    pub fn waited_for(&mut self, other: SpanContext) {
        self.span_mut().link = Some(other);
    }

    /// It takes no longer, though there may be more to say of it.
    pub fn stop(&mut self) {
        if !std::mem::replace(&mut self.stopped, true) {
            self.span_mut().took = self.since.elapsed();
        }
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        self.stop();
        if let Some(span) = self.span.take() {
            self.record.add(span);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Deadline, RequestContext, RequestId, Trace};

    fn request() -> RequestContext {
        let deadline = Deadline::after(Duration::from_secs(2));
        RequestContext::new(RequestId::generate(), Trace::start(), deadline)
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_a_part_of_what_is_known() {
        let ctx = request();
        let mut section = ctx.begin(SpanKind::Internal, "section promos");
        tokio::time::advance(Duration::from_millis(5)).await;
        let mut call = ctx.within(&section).begin(SpanKind::Internal, "GET /promos");
        tokio::time::advance(Duration::from_millis(8)).await;
        call.describe(&Arc::from([KeyValue::new("triptych.upstream", "promos")]));
        assert_eq!(call.went_out(Instant::now()), Duration::from_millis(8));
        tokio::time::advance(Duration::from_millis(12)).await;
        call.stop();
        tokio::time::advance(Duration::from_millis(2)).await;
        call.set("triptych.contract.path", "items[].price");
        call.fail("contract_violation");
        let (section_id, call_id) = (section.id(), call.id());
        drop(call);
        section.set("triptych.section.status", "contract_violation");
        drop(section);

        let spans = ctx.clone().recorded();
        let [call, section] = &spans[..] else { panic!("{spans:?}") };
        assert_eq!((section.id, section.parent), (section_id, ctx.trace().span_id()));
        assert_eq!((call.id, call.parent), (call_id, section_id));
        assert_eq!((call.began, call.took), (Duration::from_millis(5), Duration::from_millis(20)));
        assert_eq!((section.began, section.took), (Duration::ZERO, Duration::from_millis(27)));
        assert_eq!((&call.status, &section.status), (&Status::error(""), &Status::Unset));
        assert_eq!((&call.kind, &section.kind), (&SpanKind::Client, &SpanKind::Internal));
        let keys: Vec<_> = call.attributes().map(|said| said.key.as_str()).collect();
        assert_eq!(keys, ["triptych.upstream", "triptych.contract.path", "error.type"]);
        assert!(ctx.recorded().is_empty());
    }

    #[tokio::test]
    async fn a_record_is_bounded_however_often_it_is_read() {
        let ctx = request();
        let mut read = 0;
        for _ in 0..3 * MOST_SPANS {
            drop(ctx.begin(SpanKind::Internal, "section promos"));
            read += ctx.recorded().len();
        }
        assert_eq!(read, MOST_SPANS);
    }
}
