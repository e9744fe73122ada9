//! `GET /orders` and `GET /orders/{id}`

use std::sync::Arc;

use axum::extract::State;
use axum::response::IntoResponse;
use axum::{Extension, Json};
use jiff::Timestamp;
use serde::Deserialize;

use super::View;
use crate::auth::Caller;
use crate::data::{Order, Status};
use crate::ids;
use crate::input::{PathId, Query};
use crate::paging::{self, Page};
use crate::problem::{NOT_FOUND, Problem};
use crate::services::{Answer, found};
use crate::state::{Filter, Shop};

const LIST: &str = "orders";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Wanted {
    user_id: String,
    status: Option<Status>,
    updated_since: Option<Timestamp>,
    limit: Option<usize>,
    cursor: Option<String>,
}

/// The newest first.
pub(super) async fn list(
    State(shop): State<Arc<Shop>>,
    Extension(caller): Extension<Caller>,
    Query(wanted): Query<Wanted>,
) -> Answer {
    let size = paging::size(wanted.limit)?;
    let filter = Filter {
        status: wanted.status,
        updated_since: wanted.updated_since,
        before: paging::read_cursor(LIST, wanted.cursor.as_deref())?,
    };
    let owner = caller.only(&wanted.user_id)?.ok_or_else(|| Problem::new(NOT_FOUND))?;
    // One more than the page holds, to know whether there is a next page.
    let mut orders = shop.orders.of_owner(owner, filter, size + 1);
    let more = orders.len() > size;
    orders.truncate(size);
    let last = orders.last().filter(|_| more);
    let next_cursor = last.map(|order| paging::cursor(LIST, order.number));
    let items: Vec<View> = orders.into_iter().map(View::from).collect();
    Ok(Json(Page { items, next_cursor }).into_response())
}

pub(super) async fn one(
    State(shop): State<Arc<Shop>>,
    Extension(caller): Extension<Caller>,
    PathId(id): PathId,
) -> Answer {
    found(Some(View::from(order_of(&caller, &shop, &id)?)))
}

/// The order with this id, if there is one and the caller owns it.
pub(super) fn order_of(caller: &Caller, shop: &Shop, id: &str) -> Result<Order, Problem> {
    let order = ids::number("o_", id).and_then(|number| shop.orders.get(number));
    let order = order.ok_or_else(|| Problem::new(NOT_FOUND))?;
    caller.must_be(order.owner)?;
    Ok(order)
}
