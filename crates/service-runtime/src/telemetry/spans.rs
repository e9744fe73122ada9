//! Requests as spans for a collector.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use opentelemetry::trace::Link;
use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue, StringValue};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};
use request_context::{Completed, Recorded, RequestId, Trace};

/// A request whose spans are exported: what they say of it, and no credential of its caller.
#[derive(Debug)]
pub(super) struct Exported {
    trace: Trace,
    request_id: RequestId,
    began_at: SystemTime,
    took: Duration,
    method: &'static str,
    route: Option<StringValue>,
    status: Option<u16>,
    size: Option<u64>,
    error: Option<Cow<'static, str>>,
    /// Why they are: `head`, `error` or `slow`.
    because: &'static str,
    /// Who the user is, as a name that says nothing.
    user: Option<String>,
    spans: Vec<Recorded>,
}

impl Exported {
    pub(super) fn new(request: Completed, because: &'static str, user: Option<String>) -> Self {
        let Completed { context, method, route, status, size, took, error, spans, .. } = request;
        Self {
            trace: context.trace().clone(),
            request_id: context.request_id().clone(),
            began_at: context.began_at(),
            took,
            method,
            route,
            status,
            size,
            error,
            because,
            user,
            spans,
        }
    }

    /// How many spans there are of a request.
    pub(super) fn count(request: &Completed) -> usize {
        1 + request.spans.len()
    }

    /// How many spans there are.
    pub(super) fn len(&self) -> usize {
        1 + self.spans.len()
    }

    /// Its spans, the server's own first.
    pub(super) fn into_spans(mut self, scope: &InstrumentationScope, into: &mut Vec<SpanData>) {
        let recorded = std::mem::take(&mut self.spans);
        let (trace, began) = (self.trace.clone(), self.began_at);
        into.push(self.server(scope));
        into.extend(recorded.into_iter().map(|span| child(span, &trace, began, scope)));
    }

    fn server(self, scope: &InstrumentationScope) -> SpanData {
        let Self { method, trace, .. } = &self;
        let name =
            self.route.as_ref().map_or(Cow::Borrowed(*method), |route| format!("{method} {route}").into());
        let failed = self.status.is_some_and(|status| status >= 500);
        SpanData {
            span_context: sampled(trace, trace.span_id()),
            parent_span_id: trace.parent_id().unwrap_or(SpanId::INVALID),
            parent_span_is_remote: trace.parent_id().is_some(),
            span_kind: SpanKind::Server,
            name,
            start_time: self.began_at,
            end_time: self.began_at + self.took,
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status: if failed { Status::error("") } else { Status::Unset },
            instrumentation_scope: scope.clone(),
            attributes: self.attributes(),
        }
    }

    fn attributes(self) -> Vec<KeyValue> {
        let mut attributes = vec![
            KeyValue::new("http.request.method", self.method),
            KeyValue::new("url.scheme", "http"),
            KeyValue::new("triptych.request_id", self.request_id.as_str().to_owned()),
            KeyValue::new("triptych.sampled", self.because),
        ];
        let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let more = [
            self.route.map(|route| KeyValue::new("http.route", route)),
            self.status.map(|status| KeyValue::new("http.response.status_code", i64::from(status))),
            self.size.map(|size| KeyValue::new("http.response.body.size", number(size))),
            self.error.map(|error| KeyValue::new("error.type", StringValue::from(error))),
            self.user.map(|user| KeyValue::new("enduser.pseudo.id", user)),
        ];
        attributes.extend(more.into_iter().flatten());
        attributes
    }
}

fn child(
    mut span: Recorded,
    trace: &Trace,
    request_began: SystemTime,
    scope: &InstrumentationScope,
) -> SpanData {
    let start_time = request_began + span.began;
    let mut links = SpanLinks::default();
    links.links.extend(span.link.take().map(Link::with_context));
    SpanData {
        span_context: sampled(trace, span.id),
        parent_span_id: span.parent,
        parent_span_is_remote: false,
        span_kind: span.kind.clone(),
        name: span.name.as_str().to_owned().into(),
        start_time,
        end_time: start_time + span.took.max(Duration::ZERO),
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links,
        status: span.status.clone(),
        instrumentation_scope: scope.clone(),
        attributes: span.into_attributes(),
    }
}

/// One of our spans, which is exported whether others were told so or not.
fn sampled(trace: &Trace, span: SpanId) -> SpanContext {
    let context = trace.context_of(span);
    let flags = context.trace_flags().with_sampled(true);
    let state = trace.state().and_then(|state| state.parse().ok()).unwrap_or(TraceState::NONE);
    SpanContext::new(trace.trace_id(), span, flags, false, state)
}
