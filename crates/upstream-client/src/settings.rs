//! Where a domain service is and how patient we are with it.

use std::time::Duration;

use bytesize::ByteSize;
use jiff::fmt::serde::unsigned_duration::friendly::compact::required as friendly;
use serde::{Deserialize, Serialize};
use url::Url;

/// The settings of one domain service. Only `url` has no default.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
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
        ]
        .into_iter()
        .find_map(|(good, key, right)| (!good).then_some((key, right)))
    }
}
