//! The users service.

use std::time::Duration;

use garde::Validate;
use request_context::RequestContext;
use serde::Deserialize;
use upstream_client::{BadUpstream, Cached, CallError, Operation, Outbound, Upstream, UpstreamSettings};

pub(crate) static GET: Operation = Operation::get("users.get", "/users/{}").cached(
    Cached::per_subject()
        .fresh_for(Duration::from_secs(30))
        .stale_while_revalidate(Duration::from_mins(5))
        .tags(&["user:{subject}"]),
);

/// The client of the users service.
#[derive(Clone)]
pub struct Users(Upstream);

impl Users {
    /// The client for the service at `settings.url`.
    pub fn new(settings: &UpstreamSettings, outbound: &Outbound) -> Result<Self, BadUpstream> {
        Upstream::new("users", settings, outbound).map(Self)
    }

    /// The caller's own profile.
    pub async fn profile(&self, ctx: &RequestContext) -> Result<User, CallError> {
        self.0.call(ctx, &GET).caller_segment().fetch().await
    }
}

/// A user.
#[derive(Clone, Debug, Deserialize, Validate)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// The user's id, as in `sub` of their tokens.
    #[garde(length(min = 1, max = 128))]
    pub id: String,
    /// As the user wrote it: any script, possibly empty.
    #[garde(length(max = 1000))]
    pub first_name: String,
    /// As the user wrote it: any script, possibly empty.
    #[garde(length(max = 1000))]
    pub last_name: String,
    /// What the user is to the shop, for example `customer`.
    #[garde(length(max = 100))]
    pub role: String,
    /// A picture.
    #[garde(length(max = 2000))]
    pub avatar_url: Option<String>,
}
