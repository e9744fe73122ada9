//! One event per request, when its answer is ready or nobody waits for it any more; of an event stream, when it has
//! ended.
//!
//! Field names are those of OpenTelemetry's semantic conventions where there is one. Never a URL,
//! a query, a header or a subject: the route's template and the ids say which request it was.

mod stream;
mod text;

use std::borrow::Cow;

use axum::extract::{MatchedPath, Request};
use axum::response::Response;
use http::Method;
use http_body::Body;
use problem::{Causes, Problem};
use request_context::RequestContext;
use tokio::time::Instant;
use tracing::field;

use crate::around::Around;
use crate::writes::REPLAYED;
pub use stream::Ending;
pub(crate) use text::Chain;
use text::Warnings;

/// Why a request has no answer. Its client left, or the connection was cut, by us at the end of a drain for
/// instance: from here the two look the same. There is no status, as none was sent.
const CANCELLED: &str = "cancelled";

/// Writes the access log.
#[derive(Clone, Copy)]
pub(crate) struct AccessLog;

/// A request that has no answer yet. Dropped without one, it logs that.
pub(crate) struct Pending {
    method: Method,
    route: Option<MatchedPath>,
    context: Option<RequestContext>,
    started: Instant,
    answered: bool,
}

#[derive(Default)]
struct Outcome<'a> {
    status: Option<u16>,
    size: Option<u64>,
    error: Option<Cow<'static, str>>,
    replayed: Option<bool>,
    ended: Option<&'static str>,
    cause: Option<Chain<'a>>,
    warnings: Option<Warnings<'a>>,
}

impl Around for AccessLog {
    type Held = Pending;

    fn request(&self, request: &mut Request) -> Pending {
        Pending {
            method: request.method().clone(),
            route: request.extensions().get().cloned(),
            context: request.extensions().get().cloned(),
            started: Instant::now(),
            answered: false,
        }
    }

    fn response(mut pending: Pending, mut response: Response) -> Response {
        pending.answered = true;
        if let Some(ending) = response.extensions_mut().remove::<Ending>() {
            return stream::until_its_end(response, ending, pending);
        }
        let problem = response.extensions().get::<Problem>();
        let causes = response.extensions().get::<Causes>();
        pending.log(Outcome {
            status: Some(response.status().as_u16()),
            size: response.body().size_hint().exact(),
            error: problem.map(slug),
            replayed: response.headers().contains_key(REPLAYED).then_some(true),
            ended: None,
            cause: problem.and_then(Problem::cause).map(|cause| Chain(&**cause)),
            warnings: causes.filter(|causes| !causes.0.is_empty()).map(Warnings),
        });
        response
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if !self.answered {
            self.log(Outcome { error: Some(CANCELLED.into()), ..Outcome::default() });
        }
    }
}

impl Pending {
    fn log(&self, outcome: Outcome<'_>) {
        macro_rules! write_at {
            ($level:ident) => {
                tracing::event!(
                    target: "access_log",
                    tracing::Level::$level,
                    http.request.method = self.method(),
                    http.route = self.route.as_ref().map_or("unmatched", MatchedPath::as_str),
                    http.response.status_code = outcome.status,
                    http.response.body.size = outcome.size,
                    duration_ms = self.milliseconds(),
                    request_id = self.context.as_ref().map(|context| field::display(context.request_id())),
                    trace_id = self.context.as_ref().map(|context| field::display(context.trace().trace_id())),
                    idempotency.replayed = outcome.replayed,
                    stream.ended = outcome.ended,
                    error.type = outcome.error.as_deref(),
                    cause = outcome.cause.map(field::display),
                    warnings = outcome.warnings.map(field::display),
                    "request"
                )
            };
        }
        if outcome.status >= Some(500) {
            write_at!(WARN);
        } else {
            write_at!(INFO);
        }
    }

    /// A method that HTTP does not define is a text of the client's choosing.
    fn method(&self) -> &str {
        match self.method {
            Method::GET
            | Method::HEAD
            | Method::POST
            | Method::PUT
            | Method::PATCH
            | Method::DELETE
            | Method::OPTIONS
            | Method::TRACE
            | Method::CONNECT => self.method.as_str(),
            _ => "_OTHER",
        }
    }

    /// To the microsecond, which is as exact as the figure can be.
    fn milliseconds(&self) -> f64 {
        (self.started.elapsed().as_secs_f64() * 1e6).round() / 1e3
    }
}

/// Writes down how a write ended that nobody waited for any more: its request has had its event.
pub(crate) fn unheard(route: Option<&MatchedPath>, context: &RequestContext, answer: &Response) {
    let problem = answer.extensions().get::<Problem>();
    tracing::info!(
        http.route = route.map_or("unmatched", MatchedPath::as_str),
        http.response.status_code = answer.status().as_u16(),
        request_id = field::display(context.request_id()),
        trace_id = field::display(context.trace().trace_id()),
        error.type = problem.map(slug).as_deref(),
        cause = problem.and_then(Problem::cause).map(|cause| field::display(Chain(&**cause))),
        "a write ended that nobody waited for"
    );
}

fn slug(problem: &Problem) -> Cow<'static, str> {
    problem.kind().slug
}
