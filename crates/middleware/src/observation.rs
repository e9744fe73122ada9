//! Follows every request to its end, and then writes the access log and tells the observer.
//!
//! The end is when the answer is ready, or when nobody waits for it any more; of an event stream, when it is over.

mod stream;
mod timing;

use std::borrow::Cow;
use std::sync::Arc;

use axum::extract::{MatchedPath, Request};
use axum::response::Response;
use http_body::Body;
use problem::{Causes, Problem, Warned};
use request_context::{Completed, Observe, RequestContext, method_name};
use tokio::time::Instant;

use crate::access_log::{self, Chain, Details, Warnings};
use crate::around::Around;
use crate::writes::REPLAYED;
pub use stream::Ending;

/// Why a request has no answer. Its client left, or the connection was cut, by us at the end of a drain for
/// instance: from here the two look the same. There is no status, as none was sent.
const CANCELLED: &str = "cancelled";

/// Sees requests begin and end.
#[derive(Clone)]
pub(crate) struct Observation(pub(crate) Arc<dyn Observe>);

/// A request that has not ended. Dropped so, it was cancelled.
pub(crate) struct Pending {
    method: &'static str,
    route: Option<MatchedPath>,
    context: RequestContext,
    started: Instant,
    observer: Arc<dyn Observe>,
    ended: bool,
}

impl Around for Observation {
    type Held = Pending;

    fn request(&self, request: &mut Request) -> Pending {
        let context: Option<&RequestContext> = request.extensions().get();
        let context = context.expect("the stack writes it down further out").clone();
        self.0.began();
        Pending {
            method: method_name(request.method()),
            route: request.extensions().get().cloned(),
            context,
            started: Instant::now(),
            observer: Arc::clone(&self.0),
            ended: false,
        }
    }

    fn response(mut pending: Pending, mut response: Response) -> Response {
        if let Some(ending) = response.extensions_mut().remove::<Ending>() {
            return stream::until_its_end(response, ending, pending);
        }
        let Warned(warnings) = response.extensions_mut().remove().unwrap_or_default();
        let mut completed = pending.completed();
        completed.status = Some(response.status().as_u16());
        completed.size = response.body().size_hint().exact();
        completed.warnings = warnings;
        let problem = response.extensions().get::<Problem>();
        completed.error = problem.map(slug);
        let causes = response.extensions().get::<Causes>();
        let details = Details {
            replayed: response.headers().contains_key(REPLAYED).then_some(true),
            ended: None,
            cause: problem.and_then(Problem::cause).map(|cause| Chain(&**cause)),
            warnings: causes.filter(|causes| !causes.0.is_empty()).map(Warnings),
        };
        access_log::write(&completed, details);
        if completed.context.client().is_some_and(|client| pending.observer.shows_timing(client)) {
            timing::show(&completed, response.headers_mut());
        }
        pending.end(completed);
        response
    }
}

impl Pending {
    /// The request as it would be if it ended now: cancelled.
    fn completed(&self) -> Completed {
        Completed {
            context: self.context.as_identified(),
            method: self.method,
            route: self.route.as_ref().map(|route| Arc::<str>::from(route.as_str()).into()),
            status: None,
            streamed: false,
            size: None,
            took: self.started.elapsed(),
            error: None,
            warnings: vec![],
            spans: self.context.recorded(),
        }
    }

    fn end(&mut self, completed: Completed) {
        self.ended = true;
        self.observer.completed(completed);
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        let mut completed = self.completed();
        completed.error = Some(CANCELLED.into());
        access_log::write(&completed, Details::default());
        self.end(completed);
    }
}

/// What a problem is called in logs and metrics.
pub(crate) fn slug(problem: &Problem) -> Cow<'static, str> {
    problem.kind().slug
}
