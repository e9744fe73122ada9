//! One event per request, when its answer is ready or nobody waits for it any more.
//!
//! Field names are those of OpenTelemetry's semantic conventions where there is one. Never a URL,
//! a query, a header or a subject: the route's template and the ids say which request it was.

mod text;

use axum::extract::{MatchedPath, Request};
use axum::response::Response;
use http::Method;
use http_body::Body;
use problem::{Causes, Problem};
use request_context::RequestContext;
use tokio::time::Instant;
use tracing::field;

use crate::around::Around;
use text::{Chain, Warnings};

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
    error: Option<&'static str>,
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

    fn response(mut pending: Pending, response: Response) -> Response {
        pending.answered = true;
        let problem = response.extensions().get::<Problem>();
        let causes = response.extensions().get::<Causes>();
        pending.log(Outcome {
            status: Some(response.status().as_u16()),
            size: response.body().size_hint().exact(),
            error: problem.map(|problem| problem.kind().slug),
            cause: problem.and_then(Problem::cause).map(|cause| Chain(&**cause)),
            warnings: causes.filter(|causes| !causes.0.is_empty()).map(Warnings),
        });
        response
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if !self.answered {
            self.log(Outcome { error: Some(CANCELLED), ..Outcome::default() });
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
                    error.type = outcome.error,
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
