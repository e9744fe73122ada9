//! `GET /orders/{id}` and `POST /orders/{id}/cancel`: one order.

use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use domain_clients::{Order, OrderId, Product};
use middleware::{Context, IdempotencyKey, Path};
use request_context::RequestContext;
use screen::{OrProblem, Problem, Problems, Screen, Warning};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::AppState;
use crate::views::OrderView;

/// The sections that the page can do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OrderSection)]
pub(crate) enum Section {
    Product,
}

const PRODUCT_MAX_AGE: Duration = Duration::from_hours(1);

/// One of the caller's orders.
#[utoipa::path(
    get, path = "/orders/{id}", operation_id = "order", tag = "orders",
    params(("id" = String, Path, description = "The order's id")),
    responses((status = 200, description = "The order", body = OrderPage), Problems)
)]
pub(crate) async fn get(
    Context(ctx): Context,
    State(app): State<AppState>,
    Path(id): Path<OrderId>,
) -> Result<Response, Problem> {
    let order = app.orders.get(&ctx, &id).await.or_problem()?;
    show(&ctx, &app, order).await
}

/// Cancels an order that has not been shipped.
#[utoipa::path(
    post, path = "/orders/{id}/cancel", operation_id = "cancelOrder", tag = "orders",
    security(("session" = [], "csrf" = [])),
    params(
        ("id" = String, Path, description = "The order's id"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters"),
    ),
    responses(
        (status = 200, description = "The order, cancelled", body = OrderPage, headers(
            ("Idempotency-Replayed" = bool, description = "This is the first answer to the key, again"),
        )),
        Problems
    )
)]
pub(crate) async fn cancel(
    Context(ctx): Context,
    State(app): State<AppState>,
    Path(id): Path<OrderId>,
    key: Option<IdempotencyKey>,
) -> Result<Response, Problem> {
    let key = key.map(IdempotencyKey::for_upstream);
    let order = app.orders.cancel(&ctx, &id, key).await.or_problem()?;
    show(&ctx, &app, order).await
}

/// The page of an order that is already here.
pub(super) async fn show(ctx: &RequestContext, app: &AppState, order: Order) -> Result<Response, Problem> {
    let screen = Screen::new(ctx);
    let product = screen.stale_ok(Section::Product, PRODUCT_MAX_AGE, async |ctx| {
        app.catalog.product(ctx, &order.product_id).await
    });
    let product = product.await?;
    Ok(screen.respond(|warnings| OrderPage::compose(order, product, warnings)))
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OrderPage {
    #[serde(flatten)]
    order: OrderView,
    warnings: Vec<Warning<Section>>,
}

impl OrderPage {
    fn compose(order: Order, product: Option<Product>, warnings: Vec<Warning<Section>>) -> Self {
        Self { order: OrderView::compose(order, product), warnings }
    }
}
