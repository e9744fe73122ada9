//! Requests as spans for a collector.

use std::time::{Duration, SystemTime};

use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status};
use request_context::{Completed, Recorded, Trace};

use super::records::nanoseconds;
use super::wire::Message;

/// Whether the parent is in another process is known, and whether it is.
const KNOWS_REMOTE: u32 = 0x100;
const IS_REMOTE: u32 = 0x200;

/// Why a request is exported, and whose it is.
pub(super) struct Why {
    /// `head`, `error` or `slow`.
    pub(super) because: &'static str,
    /// Who the user is, as a name that says nothing.
    pub(super) user: Option<String>,
}

/// How many spans a request has, the server's own included.
pub(super) fn count(request: &Completed) -> usize {
    1 + request.spans.len()
}

/// All spans of a request, as fields of a `ScopeSpans`; the server's own first.
pub(super) fn write(request: &Completed, why: &Why, to: &mut Vec<u8>) {
    let (trace, began) = (request.context.trace(), request.context.began_at());
    let mut to = Message::new(to);
    to.long_message(2, |span| server(request, why, span));
    for recorded in &request.spans {
        to.long_message(2, |span| child(recorded, trace, began, span));
    }
}

fn server(request: &Completed, why: &Why, span: &mut Message<'_>) {
    let Completed { context, method, route, status, size, error, .. } = request;
    let trace = context.trace();
    begin(span, trace, trace.span_id(), trace.parent_id(), &SpanKind::Server);
    span.fixed32(16, flags(trace, trace.parent_id().is_some()));
    match route {
        Some(route) => span.printed(5, format_args!("{method} {route}")),
        None => span.text(5, method),
    }
    times(span, context.began_at(), request.took);
    text(span, "http.request.method", method);
    text(span, "url.scheme", "http");
    text(span, "triptych.request_id", context.request_id().as_str());
    text(span, "triptych.sampled", why.because);
    if let Some(route) = route {
        text(span, "http.route", route.as_str());
    }
    if let Some(status) = status {
        span.attribute(9, "http.response.status_code", |any| any.number(3, u64::from(*status)));
    }
    if let Some(size) = size {
        span.attribute(9, "http.response.body.size", |any| any.number(3, *size));
    }
    if let Some(error) = error {
        text(span, "error.type", error);
    }
    if let Some(user) = &why.user {
        text(span, "enduser.pseudo.id", user);
    }
    if status.is_some_and(|status| status >= 500) {
        failed(span);
    }
}

fn child(recorded: &Recorded, trace: &Trace, request_began: SystemTime, span: &mut Message<'_>) {
    begin(span, trace, recorded.id, Some(recorded.parent), &recorded.kind);
    span.fixed32(16, flags(trace, false));
    span.text(5, recorded.name.as_str());
    times(span, request_began + recorded.began, recorded.took);
    span.attributes(9, recorded.attributes());
    if let Some(other) = &recorded.link {
        span.message(13, |link| linked(link, other));
    }
    if matches!(recorded.status, Status::Error { .. }) {
        failed(span);
    }
}

fn begin(span: &mut Message<'_>, trace: &Trace, id: SpanId, parent: Option<SpanId>, kind: &SpanKind) {
    span.bytes(1, &trace.trace_id().to_bytes());
    span.bytes(2, &id.to_bytes());
    if let Some(state) = trace.state() {
        span.text(3, state);
    }
    if let Some(parent) = parent {
        span.bytes(4, &parent.to_bytes());
    }
    let kind = match kind {
        SpanKind::Internal => 1,
        SpanKind::Server => 2,
        SpanKind::Client => 3,
        SpanKind::Producer => 4,
        SpanKind::Consumer => 5,
    };
    span.number(6, kind);
}

fn linked(link: &mut Message<'_>, to: &SpanContext) {
    link.bytes(1, &to.trace_id().to_bytes());
    link.bytes(2, &to.span_id().to_bytes());
    link.fixed32(6, u32::from(to.trace_flags().to_u8()) | KNOWS_REMOTE);
}

/// One of our spans is sampled, whether others were told so or not.
fn flags(trace: &Trace, remote_parent: bool) -> u32 {
    let of_trace = trace.context_of(trace.span_id()).trace_flags().with_sampled(true);
    u32::from(of_trace.to_u8()) | KNOWS_REMOTE | if remote_parent { IS_REMOTE } else { 0 }
}

fn times(span: &mut Message<'_>, began: SystemTime, took: Duration) {
    span.fixed64(7, nanoseconds(began));
    span.fixed64(8, nanoseconds(began + took));
}

fn text(span: &mut Message<'_>, key: &str, value: &str) {
    span.attribute(9, key, |any| any.text(1, value));
}

fn failed(span: &mut Message<'_>) {
    span.message(15, |status| status.number(3, 2));
}
