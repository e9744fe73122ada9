//! The vocabulary of one request: its id, trace, deadline, priority and caller.
//!
//! Both halves of a BFF speak it: `middleware` writes it down when a request comes in, and
//! `upstream-client` reads it when a call goes out. It knows neither of the two.

mod authenticate;
mod caller;
mod deadline;
mod priority;
mod request_id;
mod trace;

use std::sync::Arc;

pub use authenticate::Authenticate;
pub use caller::{AccessToken, Caller, Scopes, Subject};
pub use deadline::Deadline;
pub use priority::Priority;
pub use request_id::{REQUEST_ID, RequestId};
pub use trace::{TRACEPARENT, TRACESTATE, Trace};

/// The facts of one request. Cheap to clone; a clone can outlive the request.
#[derive(Clone, Debug)]
pub struct RequestContext(Arc<Facts>);

#[derive(Clone, Debug)]
struct Facts {
    request_id: RequestId,
    trace: Trace,
    deadline: Deadline,
    priority: Priority,
    caller: Option<Caller>,
}

impl RequestContext {
    /// A request nobody has been identified for yet.
    pub fn new(request_id: RequestId, trace: Trace, deadline: Deadline) -> Self {
        Self(Arc::new(Facts { request_id, trace, deadline, priority: Priority::Page, caller: None }))
    }

    /// The same request, made by `caller`.
    #[must_use]
    pub fn with_caller(&self, caller: Caller) -> Self {
        Self(Arc::new(Facts { caller: Some(caller), ..(*self.0).clone() }))
    }

    /// The same request, as important as `priority` says.
    #[must_use]
    pub fn with_priority(&self, priority: Priority) -> Self {
        Self(Arc::new(Facts { priority, ..(*self.0).clone() }))
    }

    /// The id that answers, logs and upstream calls of this request carry.
    pub fn request_id(&self) -> &RequestId {
        &self.0.request_id
    }

    /// The request's place in its distributed trace.
    pub fn trace(&self) -> &Trace {
        &self.0.trace
    }

    /// The moment by which the answer must be on its way.
    pub fn deadline(&self) -> Deadline {
        self.0.deadline
    }

    /// How long this request outlasts others under load.
    pub fn priority(&self) -> Priority {
        self.0.priority
    }

    /// Who is calling, once `identity` has verified a credential.
    pub fn caller(&self) -> Option<&Caller> {
        self.0.caller.as_ref()
    }
}
