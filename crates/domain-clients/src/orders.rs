//! The orders service.

use garde::Validate;
use http::HeaderValue;
use jiff::Timestamp;
use request_context::RequestContext;
use serde::{Deserialize, Serialize};
use upstream_client::{
    BadUpstream, CallError, EventId, Events, Operation, Outbound, Reason, Refusal, Upstream, UpstreamSettings,
};

use crate::{Currency, Cursor, Money, OrderId, Page, ProductId};

pub(crate) static LIST: Operation = Operation::get("orders.list", "/orders");
pub(crate) static GET: Operation = Operation::get("orders.get", "/orders/{}");
pub(crate) static EVENTS: Operation = Operation::get("orders.events", "/orders/events").streams();
pub(crate) static PLACE: Operation =
    Operation::post("orders.place", "/orders").refusals(PLACE_REFUSALS).invalidates(COUNTED);
pub(crate) static CANCEL: Operation =
    Operation::post("orders.cancel", "/orders/{}/cancel").refusals(CANCEL_REFUSALS).invalidates(COUNTED);

/// The name of the only event that we rely on.
pub(crate) const ORDER_STATUS: &str = "order-status";

/// What counts a caller's orders.
const COUNTED: &[&str] = &["usage:{subject}", "billing:{subject}"];

pub(crate) const PLACE_REFUSALS: &[Refusal] = &[
    Refusal { code: "out-of-stock", title: "There are not enough of this product", reason: Reason::Conflict },
    Refusal { code: "unknown-product", title: "There is no such product", reason: Reason::Unprocessable },
    Refusal {
        code: "idempotency-mismatch",
        title: "The idempotency key was used for another request",
        reason: Reason::Unprocessable,
    },
];

pub(crate) const CANCEL_REFUSALS: &[Refusal] = &[Refusal {
    code: "order-not-cancellable",
    title: "The order can no longer be cancelled",
    reason: Reason::Conflict,
}];

/// The client of the orders service.
#[derive(Clone)]
pub struct Orders(Upstream);

impl Orders {
    /// The client for the service at `settings.url`.
    pub fn new(settings: &UpstreamSettings, outbound: &Outbound) -> Result<Self, BadUpstream> {
        Upstream::new("orders", settings, outbound).map(Self)
    }

    /// The caller's latest orders, the newest first.
    pub async fn recent(&self, ctx: &RequestContext, limit: u32) -> Result<Vec<Order>, CallError> {
        self.page(ctx, &OrderFilter { limit, ..OrderFilter::default() }).await.map(|page| page.items)
    }

    /// A page of the caller's orders, the newest first.
    pub async fn page(&self, ctx: &RequestContext, filter: &OrderFilter) -> Result<Page<Order>, CallError> {
        self.0
            .call(ctx, &LIST)
            .caller_query("userId")
            .query("limit", filter.limit)
            .query_opt("status", filter.status.as_ref())
            .query_opt("updatedSince", filter.updated_since)
            .query_opt("cursor", filter.cursor.as_ref())
            .fetch()
            .await
    }

    /// One order.
    pub async fn get(&self, ctx: &RequestContext, id: &OrderId) -> Result<Order, CallError> {
        self.0.call(ctx, &GET).segment(id).fetch().await
    }

    /// What happens to the caller's orders from now on, or since the event `after`.
    pub async fn events(
        &self,
        ctx: &RequestContext,
        after: Option<&EventId>,
    ) -> Result<Events<OrderEvent>, CallError> {
        self.0.call(ctx, &EVENTS).caller_query("userId").last_event_id(after).events(ORDER_STATUS).await
    }

    /// Places an order; with a `key`, a repetition places no second one.
    pub async fn place(
        &self,
        ctx: &RequestContext,
        order: &NewOrder,
        key: Option<HeaderValue>,
    ) -> Result<Order, CallError> {
        self.0.call(ctx, &PLACE).json(order).idempotency_key(key).fetch().await
    }

    /// Cancels an order that has not been shipped.
    pub async fn cancel(
        &self,
        ctx: &RequestContext,
        id: &OrderId,
        key: Option<HeaderValue>,
    ) -> Result<Order, CallError> {
        self.0.call(ctx, &CANCEL).segment(id).idempotency_key(key).fetch().await
    }
}

/// Which orders, and how many.
#[derive(Clone, Debug, Default)]
pub struct OrderFilter {
    /// At most this many.
    pub limit: u32,
    /// Only those with this status.
    pub status: Option<String>,
    /// Only those that changed at or after this time.
    pub updated_since: Option<Timestamp>,
    /// Where to begin.
    pub cursor: Option<Cursor>,
}

/// What an order is placed for.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewOrder {
    /// The product.
    pub product_id: ProductId,
    /// How many of it.
    pub quantity: u32,
}

/// An order.
#[derive(Clone, Debug, Deserialize, Validate)]
#[serde(rename_all = "camelCase")]
pub struct Order {
    /// The order's id.
    #[garde(skip)]
    pub id: OrderId,
    /// What was ordered.
    #[garde(skip)]
    pub product_id: ProductId,
    /// How many.
    #[garde(range(min = 1))]
    pub quantity: u32,
    /// `placed`, `paid`, `shipped`, `delivered`, `cancelled`, or a status that is yet to be invented.
    #[garde(length(min = 1, max = 40))]
    pub status: String,
    #[garde(range(min = 0))]
    total_cents: i64,
    #[garde(skip)]
    currency: Currency,
    /// When it was placed.
    #[garde(skip)]
    pub placed_at: Timestamp,
    /// When it last changed.
    #[garde(skip)]
    pub updated_at: Timestamp,
}

impl Order {
    /// What it costs in all.
    pub fn total(&self) -> Money {
        Money { minor: self.total_cents, currency: self.currency }
    }
}

/// An order has reached a new status.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Validate)]
#[serde(rename_all = "camelCase")]
pub struct OrderEvent {
    /// Which order.
    #[garde(skip)]
    pub order_id: OrderId,
    /// As [`Order::status`].
    #[garde(length(min = 1, max = 40))]
    pub status: String,
    /// When.
    #[garde(skip)]
    pub at: Timestamp,
}
