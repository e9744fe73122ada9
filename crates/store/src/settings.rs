//! Where the store is, and how much and how long it may take.

mod url;

use std::path::PathBuf;
use std::time::Duration;

use bytesize::ByteSize;
use jiff::fmt::serde::unsigned_duration::friendly::compact::required as friendly;
use serde::{Deserialize, Serialize};

pub use self::url::StoreUrl;
pub(crate) use self::url::{Place, Servers};
use crate::Bounds;

/// The settings of a store. Every one has a default: without any, the store is this process's memory.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct StoreSettings {
    /// Where the store is.
    pub url: StoreUrl,
    /// Memory only: at most so many bytes of keys, values and tags.
    pub max_bytes: ByteSize,
    /// Memory only: at most so many keys, and as many leases.
    pub max_entries: usize,
    /// Redis only: the longest that a call may take. Whoever waits for longer is told that the store is
    /// unavailable.
    #[serde(with = "friendly")]
    pub timeout: Duration,
    /// Redis only: what every key and channel begins with, so that several systems can share one Redis.
    pub prefix: String,
    /// Redis over TLS only: the certificates (PEM) that the server's must descend from, instead of those that
    /// this machine trusts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
}

impl Default for StoreSettings {
    fn default() -> Self {
        Self {
            url: StoreUrl::default(),
            max_bytes: ByteSize::mib(64),
            max_entries: 100_000,
            timeout: Duration::from_millis(250),
            prefix: "triptych".into(),
            ca_file: None,
        }
    }
}

impl StoreSettings {
    /// The store at `url`, with every default.
    pub fn at(url: StoreUrl) -> Self {
        Self { url, ..Self::default() }
    }

    /// Whether other replicas see what is written.
    pub fn is_shared(&self) -> bool {
        matches!(self.url.0, Place::Redis(_))
    }

    /// The first setting that is out of range: its key, and what would be right.
    pub fn out_of_range(&self) -> Option<(&'static str, &'static str)> {
        let (shortest, longest) = (Duration::from_millis(10), Duration::from_secs(10));
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':');
        let prefix = (1..=64).contains(&self.prefix.len()) && self.prefix.bytes().all(plain);
        [
            (
                (1..=64 << 30).contains(&self.max_bytes.as_u64()),
                "max_bytes",
                "must be between 1 B and 64 GiB",
            ),
            ((1..=100_000_000).contains(&self.max_entries), "max_entries", "must be between 1 and 100000000"),
            ((shortest..=longest).contains(&self.timeout), "timeout", "must be between 10ms and 10s"),
            (prefix, "prefix", "must be 1 to 64 letters, digits and any of - _ . :"),
            (
                self.ca_file.is_none() || self.url.is_tls(),
                "ca_file",
                "needs a url that begins with rediss:// or rediss+cluster://",
            ),
        ]
        .into_iter()
        .find_map(|(good, key, right)| (!good).then_some((key, right)))
    }

    pub(crate) fn bounds(&self) -> Bounds {
        let bytes = usize::try_from(self.max_bytes.as_u64()).unwrap_or(usize::MAX);
        Bounds { entries: self.max_entries, bytes }
    }
}

/// A setting with which no store can be opened: its key, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {problem}")]
pub struct BadStore {
    /// The key, within the section of the store.
    pub key: &'static str,
    /// A phrase such as `must be between 10ms and 10s`.
    pub problem: String,
}

#[cfg(test)]
mod tests;
