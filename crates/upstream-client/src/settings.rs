//! Where a domain service is and how patient we are with it.

use std::time::Duration;

use bytesize::ByteSize;
use jiff::fmt::serde::unsigned_duration::friendly::compact::required as friendly;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::limiter::LimiterSettings;

/// The settings of one domain service. Only `url` has no default.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each turns one mechanism off, for who has to see it alone"
)]
pub struct UpstreamSettings {
    /// Where the service is; a path is a prefix of every call's.
    pub url: Url,
    /// The longest a call may take, from connecting to the last byte.
    #[serde(with = "friendly", default = "default::timeout")]
    pub timeout: Duration,
    /// The longest that connecting may take.
    #[serde(with = "friendly", default = "default::connect_timeout")]
    pub connect_timeout: Duration,
    /// How long an unused connection is kept; less than the service keeps it.
    #[serde(with = "friendly", default = "default::idle_timeout")]
    pub idle_timeout: Duration,
    /// The largest answer that is read.
    #[serde(default = "default::max_body")]
    pub max_body: ByteSize,
    /// How many unused connections are kept.
    #[serde(default = "default::max_idle")]
    pub max_idle: usize,
    /// The most calls at once. The limit that adapts stays below.
    #[serde(default = "default::max_concurrency")]
    pub max_concurrency: usize,
    /// How many times as long as usual answers may take before fewer are asked for at once: who has the lower value
    /// gives way first.
    #[serde(default = "default::latency_tolerance")]
    pub latency_tolerance: f64,
    /// Whether what failed is tried once more.
    #[serde(default = "default::on")]
    pub retries: bool,
    /// Whether a slow read is asked for a second time.
    #[serde(default = "default::on")]
    pub hedging: bool,
    /// Whether what keeps failing is left alone for a while.
    #[serde(default = "default::on")]
    pub breaker: bool,
    /// Whether the same read at the same time is made once.
    #[serde(default = "default::on")]
    pub coalescing: bool,
}

/// The settings of what is kept of answers.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct CacheSettings {
    /// About how much memory it may take; with `0 B` nothing is kept.
    pub max_bytes: ByteSize,
}

impl Default for CacheSettings {
    fn default() -> Self {
        Self { max_bytes: ByteSize::mib(16) }
    }
}

impl CacheSettings {
    /// The first setting that is out of range: its key, and what would be right.
    pub fn out_of_range(&self) -> Option<(&'static str, &'static str)> {
        (self.max_bytes > ByteSize::gib(64)).then_some(("max_bytes", "must be at most 64 GiB"))
    }
}

mod default {
    use super::{ByteSize, Duration};

    pub(super) fn timeout() -> Duration {
        Duration::from_secs(1)
    }
    pub(super) fn connect_timeout() -> Duration {
        Duration::from_millis(300)
    }
    pub(super) fn idle_timeout() -> Duration {
        Duration::from_secs(15)
    }
    pub(super) fn max_body() -> ByteSize {
        ByteSize::mib(2)
    }
    pub(super) fn max_idle() -> usize {
        64
    }
    pub(super) fn max_concurrency() -> usize {
        200
    }
    pub(super) fn latency_tolerance() -> f64 {
        2.0
    }
    pub(super) fn on() -> bool {
        true
    }
}

impl UpstreamSettings {
    /// The service at `url`, with every default.
    pub fn at(url: Url) -> Self {
        Self {
            url,
            timeout: default::timeout(),
            connect_timeout: default::connect_timeout(),
            idle_timeout: default::idle_timeout(),
            max_body: default::max_body(),
            max_idle: default::max_idle(),
            max_concurrency: default::max_concurrency(),
            latency_tolerance: default::latency_tolerance(),
            retries: default::on(),
            hedging: default::on(),
            breaker: default::on(),
            coalescing: default::on(),
        }
    }

    pub(crate) fn limiter(&self) -> LimiterSettings {
        LimiterSettings {
            most: self.max_concurrency,
            tolerance: self.latency_tolerance,
            ..LimiterSettings::default()
        }
    }

    pub(crate) fn max_body(&self) -> usize {
        usize::try_from(self.max_body.as_u64()).unwrap_or(usize::MAX)
    }

    /// The first setting that is out of range: its key, and what would be right.
    pub fn out_of_range(&self) -> Option<(&'static str, &'static str)> {
        let second = Duration::from_secs(1);
        let usual = Duration::from_millis(10)..=600 * second;
        [
            (matches!(self.url.scheme(), "http" | "https"), "url", "must begin with http:// or https://"),
            (
                self.url.query().is_none() && self.url.fragment().is_none(),
                "url",
                "must have no query and no fragment",
            ),
            (
                self.url.username().is_empty() && self.url.password().is_none(),
                "url",
                "must hold no credential",
            ),
            (usual.contains(&self.timeout), "timeout", "must be between 10ms and 10m"),
            (usual.contains(&self.connect_timeout), "connect_timeout", "must be between 10ms and 10m"),
            (self.connect_timeout <= self.timeout, "connect_timeout", "must not be longer than timeout"),
            (
                (second..=600 * second).contains(&self.idle_timeout),
                "idle_timeout",
                "must be between 1s and 10m",
            ),
            ((1..=64 << 20).contains(&self.max_body.as_u64()), "max_body", "must be between 1 B and 64 MiB"),
            (self.max_idle <= 10_000, "max_idle", "must be at most 10000"),
            (
                (1..=100_000).contains(&self.max_concurrency),
                "max_concurrency",
                "must be between 1 and 100000",
            ),
            (
                (1.1..=100.0).contains(&self.latency_tolerance),
                "latency_tolerance",
                "must be between 1.1 and 100",
            ),
        ]
        .into_iter()
        .find_map(|(good, key, right)| (!good).then_some((key, right)))
    }
}
