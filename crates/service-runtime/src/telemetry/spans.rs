//! Requests as spans for a collector.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use opentelemetry::trace::Link;
use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue, StringValue};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};
use request_context::{Completed, Recorded, Trace};

/// A request whose spans are exported.
#[derive(Debug)]
pub(super) struct Exported {
    pub(super) request: Completed,
    /// Why they are: `head`, `error` or `slow`.
    pub(super) because: &'static str,
    /// Who the user is, as a name that says nothing.
    pub(super) user: Option<String>,
}

impl Exported {
    /// How many spans there are.
    pub(super) fn len(&self) -> usize {
        1 + self.request.spans.len()
    }

    /// Its spans, the server's own first.
    pub(super) fn into_spans(mut self, scope: &InstrumentationScope, into: &mut Vec<SpanData>) {
        let recorded = std::mem::take(&mut self.request.spans);
        let began = self.request.context.began_at();
        into.push(self.server(scope));
        let trace = self.request.context.trace();
        into.extend(recorded.into_iter().map(|span| child(span, trace, began, scope)));
    }

    fn server(&self, scope: &InstrumentationScope) -> SpanData {
        let Completed { context, method, route, status, took, .. } = &self.request;
        let trace = context.trace();
        let name = route.as_ref().map_or(Cow::Borrowed(*method), |route| format!("{method} {route}").into());
        let failed = status.is_some_and(|status| status >= 500);
        SpanData {
            span_context: sampled(trace, trace.span_id()),
            parent_span_id: trace.parent_id().unwrap_or(SpanId::INVALID),
            parent_span_is_remote: trace.parent_id().is_some(),
            span_kind: SpanKind::Server,
            name,
            start_time: context.began_at(),
            end_time: context.began_at() + *took,
            attributes: self.attributes(),
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status: if failed { Status::error("") } else { Status::Unset },
            instrumentation_scope: scope.clone(),
        }
    }

    fn attributes(&self) -> Vec<KeyValue> {
        let Completed { context, method, route, status, size, error, .. } = &self.request;
        let mut attributes = vec![
            KeyValue::new("http.request.method", *method),
            KeyValue::new("url.scheme", "http"),
            KeyValue::new("triptych.request_id", context.request_id().as_str().to_owned()),
            KeyValue::new("triptych.sampled", self.because),
        ];
        let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let more = [
            route.clone().map(|route| KeyValue::new("http.route", route)),
            status.map(|status| KeyValue::new("http.response.status_code", i64::from(status))),
            size.map(|size| KeyValue::new("http.response.body.size", number(size))),
            error.clone().map(|error| KeyValue::new("error.type", StringValue::from(error))),
            self.user.clone().map(|user| KeyValue::new("enduser.pseudo.id", user)),
        ];
        attributes.extend(more.into_iter().flatten());
        attributes
    }
}

fn child(span: Recorded, trace: &Trace, request_began: SystemTime, scope: &InstrumentationScope) -> SpanData {
    let start_time = request_began + span.began;
    let mut links = SpanLinks::default();
    links.links.extend(span.link.map(Link::with_context));
    SpanData {
        span_context: sampled(trace, span.id),
        parent_span_id: span.parent,
        parent_span_is_remote: false,
        span_kind: span.kind,
        name: String::from(span.name).into(),
        start_time,
        end_time: start_time + span.took.max(Duration::ZERO),
        attributes: span.attributes,
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links,
        status: span.status,
        instrumentation_scope: scope.clone(),
    }
}

/// One of our spans, which is exported whether others were told so or not.
fn sampled(trace: &Trace, span: SpanId) -> SpanContext {
    let context = trace.context_of(span);
    let flags = context.trace_flags().with_sampled(true);
    let state = trace.state().and_then(|state| state.parse().ok()).unwrap_or(TraceState::NONE);
    SpanContext::new(trace.trace_id(), span, flags, false, state)
}
