//! `GET /orders` and `POST /orders`: the list of orders, and a new one.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use domain_clients::{Cursor, Order, OrderFilter, Page, Product, ProductId};
use jiff::Timestamp;
use middleware::{Context, IdempotencyKey, Json, Query};
use screen::{OrProblem, Problem, Problems, Screen, Status, Warning};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use super::order;
use crate::app::AppState;

/// The sections that the screen can do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[schema(as = OrdersSection)]
pub(crate) enum Section {
    #[serde(rename = "orders.productName")]
    ProductName,
}

const PAGE: u32 = 20;
const PRODUCTS_MAX_AGE: Duration = Duration::from_hours(1);

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct OrdersQuery {
    /// The `nextCursor` of the page before.
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor>,
}

/// A page of the caller's orders, the newest first.
#[utoipa::path(
    get, path = "/orders", operation_id = "orders", tag = "orders", params(OrdersQuery),
    responses((status = 200, description = "A page of orders", body = OrderList), Problems)
)]
pub(crate) async fn list(
    Context(ctx): Context,
    State(app): State<AppState>,
    Query(query): Query<OrdersQuery>,
) -> Result<Response, Problem> {
    let screen = Screen::new(&ctx);
    let filter = OrderFilter { limit: PAGE, cursor: query.cursor, ..OrderFilter::default() };
    let page = screen.required("orders", async |ctx| app.orders.page(ctx, &filter).await).await?;
    let products = screen.stale_ok(Section::ProductName, PRODUCTS_MAX_AGE, async |ctx| {
        let ids = page.items.iter().map(|order| &order.product_id);
        app.catalog.products(ctx, ids).await
    });
    let products = products.await?;
    let (products, lost) = products.map(|products| (products.found, products.lost)).unzip();
    // Which of them are gone is only known when all could be looked up.
    if let (Some(products), Some(None)) = (&products, &lost)
        && page.items.iter().any(|order| !products.contains_key(&order.product_id))
    {
        screen.lost(Section::ProductName, Status::NotFound);
    }
    screen.partly(Section::ProductName, lost.flatten());
    Ok(screen.respond(|warnings| OrderList::compose(page, &products.unwrap_or_default(), warnings)))
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewOrder {
    #[schema(value_type = String, example = "p_7")]
    product_id: ProductId,
    #[schema(value_type = u32, minimum = 1)]
    quantity: NonZeroU32,
}

/// Places an order. With an `Idempotency-Key`, a repetition places no second one.
#[utoipa::path(
    post, path = "/orders", operation_id = "placeOrder", tag = "orders", request_body = NewOrder,
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters")),
    responses(
        (status = 201, description = "The order", body = order::OrderView, headers(
            ("Location" = String),
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
    let order = domain_clients::NewOrder { product_id: order.product_id, quantity: order.quantity.get() };
    let placed = app.orders.place(&ctx, &order, key.map(IdempotencyKey::for_upstream)).await.or_problem()?;
    let location = app.public_url.join(&format!("/orders/{}", placed.id));
    let view = order::show(&ctx, &app, placed).await?;
    Ok((StatusCode::CREATED, [(LOCATION, location)], view).into_response())
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OrderList {
    orders: Vec<OrderRow>,
    next_cursor: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    warnings: Vec<Warning<Section>>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct OrderRow {
    id: String,
    status: String,
    /// In the currency's major unit.
    #[schema(value_type = f64)]
    total: Box<RawValue>,
    currency: &'static str,
    placed_at: Timestamp,
    /// `null` when the catalog no longer has the product, or cannot be asked.
    product_name: Option<String>,
}

impl OrderList {
    fn compose(
        page: Page<Order>,
        products: &HashMap<ProductId, Product>,
        warnings: Vec<Warning<Section>>,
    ) -> Self {
        let row = |order: Order| {
            let total = order.total();
            OrderRow {
                product_name: products.get(&order.product_id).map(|product| product.name.clone()),
                id: order.id.into(),
                status: order.status,
                total: total.number(),
                currency: total.currency.code(),
                placed_at: order.placed_at,
            }
        };
        Self {
            orders: page.items.into_iter().map(row).collect(),
            next_cursor: page.next_cursor.map(Into::into),
            warnings,
        }
    }
}
