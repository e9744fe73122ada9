//! Follows every request to the head of its answer, and tells who shows it: one server span for each, in the trace of
//! whoever asked.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::HeaderMap;
use request_context::{
    Completed, Deadline, Observe, REQUEST_ID, RequestContext, RequestId, Trace, method_name,
};
use tokio::time::Instant;

/// The shop promises nobody an answer by any time.
const NEVER: Duration = Duration::from_hours(24);

/// A request that has no answer yet. Dropped so, nobody waits for one any more.
struct Pending {
    observer: Arc<dyn Observe>,
    context: RequestContext,
    method: &'static str,
    route: Option<MatchedPath>,
    began: Instant,
    status: Option<u16>,
}

/// The layer that follows.
pub(crate) async fn observe(
    State(observer): State<Arc<dyn Observe>>,
    request: Request,
    next: Next,
) -> Response {
    let mut pending = Pending::begin(observer, &request);
    let response = next.run(request).await;
    pending.status = Some(response.status().as_u16());
    response
}

impl Pending {
    fn begin(observer: Arc<dyn Observe>, request: &Request) -> Self {
        observer.began();
        Self {
            context: context(&*observer, request.headers()),
            method: method_name(request.method()),
            route: request.extensions().get().cloned(),
            began: Instant::now(),
            status: None,
            observer,
        }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.observer.completed(Completed {
            context: self.context.clone(),
            method: self.method,
            route: self.route.as_ref().map(|route| Arc::<str>::from(route.as_str()).into()),
            status: self.status,
            streamed: false,
            size: None,
            took: self.began.elapsed(),
            error: self.status.is_none().then(|| "cancelled".into()),
            warnings: vec![],
            spans: self.context.recorded(),
        });
    }
}

/// Those who call are our own: their trace goes on, and their request keeps its id.
fn context(observer: &dyn Observe, headers: &HeaderMap) -> RequestContext {
    let id = headers.get(REQUEST_ID).and_then(RequestId::parse).unwrap_or_else(RequestId::generate);
    let trace = Trace::continued(headers).unwrap_or_else(Trace::start);
    let decided = trace.parent_id().map(|_| trace.is_sampled());
    let sampled = observer.samples(trace.trace_id(), decided);
    RequestContext::new(id, trace.sampled(sampled), Deadline::after(NEVER))
}
