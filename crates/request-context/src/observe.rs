use std::borrow::Cow;
use std::net::IpAddr;
use std::time::Duration;

use http::Method;
use opentelemetry::StringValue;
use opentelemetry::trace::TraceId;

use crate::{Recorded, RequestContext};

/// Who sees every request: what counts, exports and draws them. A trait, so that those who serve requests need not
/// know who that is.
pub trait Observe: Send + Sync + 'static {
    /// Whether all who take part in a trace are to record it, of which `parent` says what whoever asked us decided;
    /// `None` when the trace begins here.
    fn samples(&self, trace: TraceId, parent: Option<bool>) -> bool;

    /// Whether this client is told, with its answer, what took how long.
    fn shows_timing(&self, client: IpAddr) -> bool;

    /// A request has come. Followed by exactly one [`completed`](Self::completed).
    fn began(&self);

    /// A request has its answer, or nobody waits for it any more.
    fn completed(&self, request: Completed);
}

/// Nobody sees anything; a trace goes on as it came.
#[derive(Clone, Copy, Debug)]
pub struct Unobserved;

impl Observe for Unobserved {
    fn samples(&self, _: TraceId, parent: Option<bool>) -> bool {
        parent.unwrap_or(false)
    }

    fn shows_timing(&self, _: IpAddr) -> bool {
        false
    }

    fn began(&self) {}

    fn completed(&self, _: Completed) {}
}

/// A request that has its answer, or will have none.
#[derive(Debug)]
pub struct Completed {
    /// Its facts.
    pub context: RequestContext,
    /// Its method, as [`method_name`] names it.
    pub method: &'static str,
    /// The template of its route, if there is one.
    pub route: Option<StringValue>,
    /// What it was answered with; none when its client left before that.
    pub status: Option<u16>,
    /// Whether the answer is an event stream, which lasts for as long as somebody listens.
    pub streamed: bool,
    /// The bytes of the answer's body, as far as they are known.
    pub size: Option<u64>,
    /// From its arrival until its answer was ready; of an event stream, until its end.
    pub took: Duration,
    /// Why it failed: the slug of a problem, or `cancelled`.
    pub error: Option<Cow<'static, str>>,
    /// The sections that were lost or old, each with what the answer says of it.
    pub warnings: Vec<(Cow<'static, str>, &'static str)>,
    /// Its spans, the server's own excepted.
    pub spans: Vec<Recorded>,
}

/// The name of a method in logs, metrics and spans. One that HTTP does not define is a text of the client's choosing, and
/// has none.
pub fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        Method::TRACE => "TRACE",
        Method::CONNECT => "CONNECT",
        _ => "_OTHER",
    }
}
