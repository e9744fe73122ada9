//! `GET /orders/{id}`: one order.

use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use domain_clients::{Order, OrderId, Product};
use jiff::Timestamp;
use middleware::{Context, Path};
use request_context::RequestContext;
use screen::{OrProblem, Problem, Problems, Screen, Warning};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::app::AppState;

/// The sections that the screen can do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OrderSection)]
pub(crate) enum Section {
    ProductName,
}

const PRODUCT_MAX_AGE: Duration = Duration::from_hours(1);

/// One of the caller's orders.
#[utoipa::path(
    get, path = "/orders/{id}", operation_id = "order", tag = "orders",
    params(("id" = String, Path, description = "The order's id")),
    responses((status = 200, description = "The order", body = OrderView), Problems)
)]
pub(crate) async fn get(
    Context(ctx): Context,
    State(app): State<AppState>,
    Path(id): Path<OrderId>,
) -> Result<Response, Problem> {
    let order = app.orders.get(&ctx, &id).await.or_problem()?;
    show(&ctx, &app, order).await
}

/// The screen of an order that is already here.
pub(super) async fn show(ctx: &RequestContext, app: &AppState, order: Order) -> Result<Response, Problem> {
    let screen = Screen::new(ctx);
    let product = screen.stale_ok(Section::ProductName, PRODUCT_MAX_AGE, async |ctx| {
        app.catalog.product(ctx, &order.product_id).await
    });
    let product = product.await?;
    Ok(screen.respond(|warnings| OrderView::compose(order, product, warnings)))
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Order)]
pub(crate) struct OrderView {
    id: String,
    status: String,
    quantity: u32,
    /// In the currency's major unit.
    #[schema(value_type = f64)]
    total: Box<RawValue>,
    currency: &'static str,
    placed_at: Timestamp,
    updated_at: Timestamp,
    product_id: String,
    /// `null` when the catalog no longer has the product, or cannot be asked.
    product_name: Option<String>,
    image_url: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    warnings: Vec<Warning<Section>>,
}

impl OrderView {
    fn compose(order: Order, product: Option<Product>, warnings: Vec<Warning<Section>>) -> Self {
        let total = order.total();
        let (product_name, image_url) = product.map(|product| (product.name, product.image_url)).unzip();
        Self {
            id: order.id.into(),
            status: order.status,
            quantity: order.quantity,
            total: total.number(),
            currency: total.currency.code(),
            placed_at: order.placed_at,
            updated_at: order.updated_at,
            product_id: order.product_id.into(),
            product_name,
            image_url: image_url.flatten(),
            warnings,
        }
    }
}
