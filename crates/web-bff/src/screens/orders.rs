//! `GET /orders` and `POST /orders`: the list of orders, and a new one.

use std::num::NonZeroU32;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use domain_clients::{Cursor, Order, OrderFilter, Product, ProductId};
use middleware::{Context, IdempotencyKey, Json, Query};
use screen::{OrProblem, Problem, Problems, Screen, Status, Warning};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::order;
use crate::app::AppState;
use crate::views::OrderView;

/// The sections that the page can do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[schema(as = OrdersSection)]
pub(crate) enum Section {
    #[serde(rename = "orders.product")]
    Products,
}

const PAGE: u32 = 50;
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
    let orders = with_products(&screen, Section::Products, &app, page.items).await?;
    Ok(screen.respond(|warnings| OrderList::compose(orders, page.next_cursor, warnings)))
}

/// The orders with their products, which are one batched call. An order whose product is gone keeps its place.
pub(super) async fn with_products<S: Copy + Ord + Serialize>(
    screen: &Screen<S>,
    section: S,
    app: &AppState,
    orders: Vec<Order>,
) -> Result<Vec<(Order, Option<Product>)>, Problem> {
    let products = screen.stale_ok(section, PRODUCTS_MAX_AGE, async |ctx| {
        let ids = orders.iter().map(|order| &order.product_id);
        app.catalog.products(ctx, ids).await
    });
    let Some(products) = products.await? else {
        return Ok(orders.into_iter().map(|order| (order, None)).collect());
    };
    let orders: Vec<_> = orders
        .into_iter()
        .map(|order| {
            let product = products.found.get(&order.product_id).cloned();
            (order, product)
        })
        .collect();
    // Which of them are gone is only known when all could be looked up.
    if products.lost.is_none() && orders.iter().any(|(_, product)| product.is_none()) {
        screen.lost(section, Status::NotFound);
    }
    screen.partly(section, products.lost);
    Ok(orders)
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
    post, path = "/orders", operation_id = "placeOrder", tag = "orders",
    security(("session" = [], "csrf" = [])), request_body = NewOrder,
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters")),
    responses(
        (status = 201, description = "The order", body = order::OrderPage, headers(
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
    let page = order::show(&ctx, &app, placed).await?;
    Ok((StatusCode::CREATED, [(LOCATION, location)], page).into_response())
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OrderList {
    orders: Vec<OrderView>,
    next_cursor: Option<String>,
    warnings: Vec<Warning<Section>>,
}

impl OrderList {
    fn compose(
        orders: Vec<(Order, Option<Product>)>,
        next_cursor: Option<Cursor>,
        warnings: Vec<Warning<Section>>,
    ) -> Self {
        Self {
            orders: orders.into_iter().map(|(order, product)| OrderView::compose(order, product)).collect(),
            next_cursor: next_cursor.map(Into::into),
            warnings,
        }
    }
}
