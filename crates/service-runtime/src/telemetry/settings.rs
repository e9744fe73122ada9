use std::time::Duration;

use ipnet::IpNet;
use jiff::fmt::serde::unsigned_duration::friendly::compact::required as friendly;
use serde::{Deserialize, Serialize};

use crate::settings::{Invalid, duration_in, number_in};

/// What is shown of requests, and to whom. Where it is exported to, the `OTEL_*` variables say.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct TelemetrySettings {
    /// A request that took so long is exported whether its trace is sampled or not. Half of what the shortest of the
    /// deadlines allows: rare in a service that is well, and still an answer, so that there is something to see in it.
    #[serde(with = "friendly")]
    pub slow: Duration,
    /// The networks of the clients who are told with `Server-Timing` what took how long.
    pub server_timing: Vec<IpNet>,
    /// Whether the last requests are kept for `/inspector` of the admin listener.
    pub inspector: bool,
    /// How many.
    pub inspector_requests: usize,
}

impl Default for TelemetrySettings {
    fn default() -> Self {
        Self {
            slow: Duration::from_secs(1),
            server_timing: vec![],
            inspector: false,
            inspector_requests: 200,
        }
    }
}

impl TelemetrySettings {
    pub(crate) fn check(&self) -> Result<(), Invalid> {
        duration_in("slow", self.slow, &(Duration::from_millis(1)..=Duration::from_mins(10)))?;
        number_in("inspector_requests", &self.inspector_requests, &(1..=10_000))
    }
}
