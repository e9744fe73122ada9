//! The notifications service.

use std::time::Duration;

use garde::Validate;
use http::HeaderValue;
use request_context::RequestContext;
use serde::Deserialize;
use upstream_client::{BadUpstream, Cached, CallError, Operation, Outbound, Upstream, UpstreamSettings};

use crate::NotificationId;

pub(crate) static LIST: Operation = Operation::get("notifications.list", "/notifications")
    .cached(Cached::per_subject().fresh_for(Duration::from_secs(10)).tags(&["notifications:{subject}"]));
pub(crate) static READ: Operation =
    Operation::post("notifications.read", "/notifications/{}/read").invalidates(&["notifications:{subject}"]);

/// The client of the notifications service.
#[derive(Clone)]
pub struct Notifications(Upstream);

impl Notifications {
    /// The client for the service at `settings.url`.
    pub fn new(settings: &UpstreamSettings, outbound: &Outbound) -> Result<Self, BadUpstream> {
        Upstream::new("notifications", settings, outbound).map(Self)
    }

    /// The caller's unread notifications, at most `limit`, and how many there are in all.
    pub async fn unread(&self, ctx: &RequestContext, limit: u32) -> Result<NotificationList, CallError> {
        self.0
            .call(ctx, &LIST)
            .caller_query("userId")
            .query("unread", true)
            .query("limit", limit)
            .fetch()
            .await
    }

    /// Marks one as read; again changes nothing.
    pub async fn mark_read(
        &self,
        ctx: &RequestContext,
        id: &NotificationId,
        key: Option<HeaderValue>,
    ) -> Result<(), CallError> {
        self.0.call(ctx, &READ).segment(id).idempotency_key(key).execute().await
    }
}

/// Some notifications, and how many are unread in all.
#[derive(Clone, Debug, Default, Deserialize, Validate)]
#[serde(rename_all = "camelCase")]
pub struct NotificationList {
    /// The notifications, the newest first.
    #[garde(length(max = 1000), dive)]
    pub items: Vec<Notification>,
    /// How many are unread, listed or not.
    #[garde(skip)]
    pub unread_count: u64,
}

/// A notification.
#[derive(Clone, Debug, Deserialize, Validate)]
pub struct Notification {
    /// The notification's id.
    #[garde(skip)]
    pub id: NotificationId,
    /// What it says.
    #[garde(length(max = 1000))]
    pub title: String,
}
