//! The spans of sections, in the record of their request.

use opentelemetry::trace::SpanKind;
use request_context::{RequestContext, Work};

use crate::Status;

/// A section that goes on. Dropped before it ended, it has no status.
pub(crate) struct Span(Work);

impl Span {
    pub(crate) fn begin(ctx: &RequestContext, section: &'static str, policy: &'static str) -> Self {
        let mut work = ctx.begin(SpanKind::Internal, ["section ", section].concat());
        work.set("triptych.section", section);
        work.set("triptych.section.policy", policy);
        Self(work)
    }

    /// The context of what is done for the section.
    pub(crate) fn inside(&self, ctx: &RequestContext) -> RequestContext {
        ctx.within(&self.0)
    }

    /// The section is there, as it should be if nothing is said of it.
    pub(crate) fn end(mut self, status: Option<Status>) {
        self.0.set("triptych.section.status", status.map_or("ok", Status::as_str));
        match status {
            None | Some(Status::Stale) => {}
            Some(lost) => self.0.fail(lost.as_str()),
        }
    }
}
