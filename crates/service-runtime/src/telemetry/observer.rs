//! Who sees every request: the metrics and the exporter.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use opentelemetry::trace::TraceId;
use request_context::{Completed, Observe};

use super::pseudonyms::Pseudonyms;
use super::queue::Queue;
use super::requests::RequestMetrics;
use super::spans::{self, Why};
use super::variables::Sampler;
use crate::Inspector;

pub(super) struct Observer {
    pub(super) requests: RequestMetrics,
    pub(super) inspector: Option<Inspector>,
    pub(super) server_timing: Vec<IpNet>,
    pub(super) slow: Duration,
    pub(super) users: Pseudonyms,
    pub(super) sampler: Sampler,
    /// Where spans go, if anywhere.
    pub(super) spans: Option<Arc<Queue>>,
}

impl Observe for Observer {
    fn samples(&self, trace: TraceId, parent: Option<bool>) -> bool {
        match &self.spans {
            Some(_) => self.sampler.samples(trace, parent),
            // Without spans of its own a service hands on what it was told.
            None => parent.unwrap_or(false),
        }
    }

    fn shows_timing(&self, client: IpAddr) -> bool {
        self.server_timing.iter().any(|network| network.contains(&client))
    }

    fn began(&self) {
        self.requests.began();
    }

    fn completed(&self, request: Completed) {
        self.requests.completed(&request);
        if let Some(inspector) = &self.inspector {
            inspector.keep(&request);
        }
        if let Some(spans) = &self.spans
            && let Some(because) = sampled(&request, self.slow)
        {
            spans.put(spans::count(&request), |to| {
                let user = request.context.caller().map(|caller| self.users.of(caller));
                spans::write(&request, &Why { because, user }, to);
            });
        }
    }
}

/// Why a request is exported, if it is: whoever decides at the end can see what went wrong.
pub(crate) fn sampled(request: &Completed, slow: Duration) -> Option<&'static str> {
    if request.context.trace().is_sampled() {
        Some("head")
    } else if request.status.is_some_and(|status| status >= 500) {
        Some("error")
    } else if request.took >= slow && !request.streamed {
        Some("slow")
    } else {
        None
    }
}
