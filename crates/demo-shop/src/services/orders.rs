//! `/orders`: reading, placing, cancelling, and watching them move on.

mod events;
mod read;
mod write;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use jiff::Timestamp;
use serde::Serialize;

use crate::data::{Currency, Order, Status};
use crate::ids::{Id, Owner};
use crate::state::Shop;

pub(super) fn routes() -> Router<Arc<Shop>> {
    Router::new()
        .route("/orders", get(read::list).post(write::place))
        .route("/orders/events", get(events::stream))
        .route("/orders/{id}", get(read::one))
        .route("/orders/{id}/cancel", post(write::cancel))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct View {
    id: Id,
    user_id: Owner,
    product_id: Id,
    quantity: u32,
    status: Status,
    total_cents: i64,
    currency: Currency,
    placed_at: Timestamp,
    updated_at: Timestamp,
}

impl From<Order> for View {
    fn from(order: Order) -> Self {
        Self {
            id: Id::order(order.number),
            user_id: order.owner,
            product_id: Id::product(order.product),
            quantity: order.quantity,
            status: order.status,
            total_cents: order.total,
            currency: order.currency,
            placed_at: order.placed_at,
            updated_at: order.updated_at,
        }
    }
}
