//! `GET /v1/orders` and `POST /v1/orders`: the account's orders, and a new one.

use std::num::NonZeroU32;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use domain_clients::{Cursor, OrderFilter, ProductId};
use middleware::{Context, IdempotencyKey, Json, Query};
use screen::{OrProblem, Problem, Problems};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::order::{OrderResource, OrderView};
use crate::app::AppState;
use crate::envelope::List;
use crate::parameters::{Limit, Moment};

type OrderList = List<OrderView>;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct OrdersQuery {
    /// Only those with this status.
    #[param(inline)]
    status: Option<OrderStatus>,
    /// Only those that changed at this time or later.
    #[param(value_type = Option<Timestamp>, example = "2026-11-22T10:00:00Z")]
    updated_since: Option<Moment>,
    /// The `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor>,
    /// The most orders that the page may have.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200, default = 50)]
    limit: Limit,
}

#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum OrderStatus {
    Placed,
    Paid,
    Shipped,
    Delivered,
    Cancelled,
}

impl OrderStatus {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Placed => "placed",
            Self::Paid => "paid",
            Self::Shipped => "shipped",
            Self::Delivered => "delivered",
            Self::Cancelled => "cancelled",
        }
    }
}

impl From<OrdersQuery> for OrderFilter {
    fn from(query: OrdersQuery) -> Self {
        Self {
            limit: query.limit.0,
            status: query.status.map(|status| status.as_str().to_owned()),
            updated_since: query.updated_since.map(|moment| moment.0),
            cursor: query.cursor,
        }
    }
}

/// A page of the account's orders, the newest first.
#[utoipa::path(
    get, path = "/v1/orders", operation_id = "list_orders", tag = "orders", params(OrdersQuery),
    responses((status = 200, description = "A page of orders", body = OrderList), Problems)
)]
pub(crate) async fn list(
    Context(ctx): Context,
    State(app): State<AppState>,
    Query(query): Query<OrdersQuery>,
) -> Result<Json<OrderList>, Problem> {
    let page = app.orders.page(&ctx, &query.into()).await.or_problem()?;
    Ok(Json(List::new(page.items, page.next_cursor)))
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewOrder {
    #[schema(value_type = String, example = "p_7")]
    product_id: ProductId,
    #[schema(value_type = u32, minimum = 1)]
    quantity: NonZeroU32,
}

impl From<NewOrder> for domain_clients::NewOrder {
    fn from(order: NewOrder) -> Self {
        Self { product_id: order.product_id, quantity: order.quantity.get() }
    }
}

/// Places an order.
///
/// Send an `Idempotency-Key`, and the same one when you try again: a repetition places no second order.
#[utoipa::path(
    post, path = "/v1/orders", operation_id = "place_order", tag = "orders", request_body = NewOrder,
    params(("Idempotency-Key" = Option<String>, Header, nullable = false, min_length = 1, max_length = 255,
        description = "Visible ASCII characters")),
    responses(
        (status = 201, description = "The order", body = OrderResource,
            headers(
                ("Location" = String, description = "Where the order is"),
                ("Idempotency-Replayed" = bool, description = "This is the first answer to the key, again"),
            )),
        Problems
    )
)]
pub(crate) async fn place(
    Context(ctx): Context,
    State(app): State<AppState>,
    key: Option<IdempotencyKey>,
    Json(order): Json<NewOrder>,
) -> Result<Response, Problem> {
    let key = key.map(IdempotencyKey::for_upstream);
    let placed = app.orders.place(&ctx, &order.into(), key).await.or_problem()?;
    let location = app.public_url.join(&format!("/v1/orders/{}", placed.id));
    let body = Json(OrderResource { data: placed.into() });
    Ok((StatusCode::CREATED, [(LOCATION, location)], body).into_response())
}
