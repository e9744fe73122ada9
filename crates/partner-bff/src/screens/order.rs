//! `GET /v1/orders/{id}`: one order.

use axum::extract::State;
use domain_clients::{Order, OrderId};
use jiff::Timestamp;
use middleware::{Context, Json, Path};
use screen::{OrProblem, Problem, Problems};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::AppState;
use crate::envelope::Resource;
use crate::money::MoneyView;

pub(crate) type OrderResource = Resource<OrderView>;

/// One of the account's orders.
#[utoipa::path(
    get, path = "/v1/orders/{id}", operation_id = "get_order", tag = "orders",
    params(("id" = String, Path, description = "The order's id")),
    responses((status = 200, description = "The order", body = OrderResource), Problems)
)]
pub(crate) async fn get(
    Context(ctx): Context,
    State(app): State<AppState>,
    Path(id): Path<OrderId>,
) -> Result<Json<OrderResource>, Problem> {
    let order = app.orders.get(&ctx, &id).await.or_problem()?;
    Ok(Json(OrderResource { data: order.into() }))
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Order)]
pub(crate) struct OrderView {
    #[schema(example = "o_20001")]
    id: String,
    /// `placed`, `paid`, `shipped`, `delivered` or `cancelled`; others may be added.
    #[schema(example = "placed")]
    status: String,
    #[schema(example = "p_7")]
    product_id: String,
    #[schema(minimum = 1)]
    quantity: u32,
    total: MoneyView,
    placed_at: Timestamp,
    /// When it last changed.
    updated_at: Timestamp,
}

impl From<Order> for OrderView {
    fn from(order: Order) -> Self {
        Self {
            total: order.total().into(),
            id: order.id.into(),
            status: order.status,
            product_id: order.product_id.into(),
            quantity: order.quantity,
            placed_at: order.placed_at,
            updated_at: order.updated_at,
        }
    }
}
