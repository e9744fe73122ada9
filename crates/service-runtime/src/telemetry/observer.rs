//! Who sees every request: the metrics, the exporter and the inspector.

use std::net::IpAddr;

use ipnet::IpNet;
use opentelemetry::trace::TraceId;
use request_context::{Completed, Observe};

use super::requests::RequestMetrics;

pub(super) struct Observer {
    pub(super) requests: RequestMetrics,
    pub(super) server_timing: Vec<IpNet>,
}

impl Observe for Observer {
    fn samples(&self, _: TraceId, parent: Option<bool>) -> bool {
        parent.unwrap_or(false)
    }

    fn shows_timing(&self, client: IpAddr) -> bool {
        self.server_timing.iter().any(|network| network.contains(&client))
    }

    fn began(&self) {
        self.requests.began();
    }

    fn completed(&self, request: Completed) {
        self.requests.completed(&request);
    }
}
