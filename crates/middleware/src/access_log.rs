//! One event per request, when it has ended.
//!
//! Field names are those of OpenTelemetry's semantic conventions where there is one. Never a URL,
//! a query, a header or a subject: the route's template and the ids say which request it was.

mod text;

use axum::extract::MatchedPath;
use axum::response::Response;
use opentelemetry::StringValue;
use problem::Problem;
use request_context::{Completed, RequestContext};
use tracing::field;

use crate::observation::slug;
pub(crate) use text::{Chain, Warnings};

/// What only the log says of a request.
#[derive(Default)]
pub(crate) struct Details<'a> {
    pub(crate) replayed: Option<bool>,
    pub(crate) ended: Option<&'static str>,
    pub(crate) cause: Option<Chain<'a>>,
    pub(crate) warnings: Option<Warnings<'a>>,
}

/// Writes the event of a request.
pub(crate) fn write(completed: &Completed, details: Details<'_>) {
    let trace = completed.context.trace();
    macro_rules! write_at {
        ($level:ident) => {
            tracing::event!(
                target: "access_log",
                tracing::Level::$level,
                http.request.method = completed.method,
                http.route = completed.route.as_ref().map_or("unmatched", StringValue::as_str),
                http.response.status_code = completed.status,
                http.response.body.size = completed.size,
                duration_ms = milliseconds(completed),
                request_id = field::display(completed.context.request_id()),
                trace_id = field::display(trace.trace_id()),
                span_id = field::display(trace.span_id()),
                idempotency.replayed = details.replayed,
                stream.ended = details.ended,
                error.type = completed.error.as_deref(),
                cause = details.cause.map(field::display),
                warnings = details.warnings.map(field::display),
                "request"
            )
        };
    }
    if completed.status >= Some(500) {
        write_at!(WARN);
    } else {
        write_at!(INFO);
    }
}

/// To the microsecond, which is as exact as the figure can be.
fn milliseconds(completed: &Completed) -> f64 {
    (completed.took.as_secs_f64() * 1e6).round() / 1e3
}

/// Writes down how a write ended that nobody waited for any more: its request has had its event.
pub(crate) fn unheard(route: Option<&MatchedPath>, context: &RequestContext, answer: &Response) {
    let problem = answer.extensions().get::<Problem>();
    tracing::info!(
        http.route = route.map_or("unmatched", MatchedPath::as_str),
        http.response.status_code = answer.status().as_u16(),
        request_id = field::display(context.request_id()),
        trace_id = field::display(context.trace().trace_id()),
        span_id = field::display(context.trace().span_id()),
        error.type = problem.map(slug).as_deref(),
        cause = problem.and_then(Problem::cause).map(|cause| field::display(Chain(&**cause))),
        "a write ended that nobody waited for"
    );
}
