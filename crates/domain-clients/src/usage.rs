//! The usage service.

use std::time::Duration;

use garde::Validate;
use jiff::Timestamp;
use request_context::RequestContext;
use serde::Deserialize;
use upstream_client::{BadUpstream, Cached, CallError, Operation, Outbound, Upstream, UpstreamSettings};

pub(crate) static GET: Operation = Operation::get("usage.get", "/accounts/{}/usage").cached(
    Cached::per_subject()
        .fresh_for(Duration::from_secs(10))
        .stale_if_error(Duration::from_hours(1))
        .tags(&["usage:{subject}"]),
);

/// The client of the usage service.
#[derive(Clone)]
pub struct Usage(Upstream);

impl Usage {
    /// The client for the service at `settings.url`.
    pub fn new(settings: &UpstreamSettings, outbound: &Outbound) -> Result<Self, BadUpstream> {
        Upstream::new("usage", settings, outbound).map(Self)
    }

    /// The caller's own account.
    pub async fn account(&self, ctx: &RequestContext) -> Result<UsageReport, CallError> {
        self.0.call(ctx, &GET).caller_segment().fetch().await
    }
}

/// What an account used in a period.
#[derive(Clone, Debug, Deserialize, Validate)]
#[serde(rename_all = "camelCase")]
pub struct UsageReport {
    /// Which period.
    #[garde(skip)]
    pub period: Period,
    /// Orders placed.
    #[garde(skip)]
    pub orders_placed: u64,
    /// Calls of the API.
    #[garde(skip)]
    pub api_calls: u64,
    /// How many calls the plan allows.
    #[garde(skip)]
    pub api_call_limit: u64,
    /// Bytes stored.
    #[garde(skip)]
    pub storage_bytes: u64,
    /// How many bytes the plan allows.
    #[garde(skip)]
    pub storage_limit_bytes: u64,
}

/// From one point in time up to another.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Period {
    /// The first moment in it.
    pub from: Timestamp,
    /// The first moment after it.
    pub to: Timestamp,
}
