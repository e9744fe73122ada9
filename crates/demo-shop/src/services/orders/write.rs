//! `POST /orders` and `POST /orders/{id}/cancel`

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::IntoResponse;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;

use super::View;
use super::read::order_of;
use crate::auth::Caller;
use crate::data::Status;
use crate::ids;
use crate::input::{Json, PathId};
use crate::problem::{IDEMPOTENCY_MISMATCH, NOT_CANCELLABLE, OUT_OF_STOCK, Problem, UNKNOWN_PRODUCT};
use crate::services::Answer;
use crate::state::{Refusal, Shop};

const MAX_QUANTITY: u32 = 100;
const MAX_KEY: usize = 255;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Wish {
    product_id: String,
    quantity: u32,
}

pub(super) async fn place(
    State(shop): State<Arc<Shop>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Json(wish): Json<Wish>,
) -> Answer {
    let owner = caller.owner()?;
    let key = idempotency_key(&headers)?;
    if !(1..=MAX_QUANTITY).contains(&wish.quantity) {
        return Err(Problem::invalid(format!("quantity: must be 1 to {MAX_QUANTITY}")));
    }
    let index = ids::number("p_", &wish.product_id).map(|number| number as usize - 1);
    let product = index.and_then(|index| shop.world.products.get(index));
    let product = product.ok_or_else(|| Problem::new(UNKNOWN_PRODUCT))?;
    let wish = (product, wish.quantity);
    let order = shop.orders.place((owner, key), wish, &shop.stock, &shop.announcements)?;
    Ok((StatusCode::CREATED, axum::Json(View::from(order))).into_response())
}

pub(super) async fn cancel(
    State(shop): State<Arc<Shop>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    PathId(id): PathId,
) -> Answer {
    let order = order_of(&caller, &shop, &id)?;
    let by = (order.owner, idempotency_key(&headers)?);
    let order = shop.orders.cancel(by, order.number, &shop.stock, &shop.announcements)?;
    Ok(axum::Json(View::from(order)).into_response())
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let Some(value) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    let key = value.to_str().ok().filter(|key| (1..=MAX_KEY).contains(&key.len()));
    let wrong = || Problem::invalid(format!("Idempotency-Key: must be 1 to {MAX_KEY} visible characters"));
    key.map(Some).ok_or_else(wrong)
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::OutOfStock => Self::new(OUT_OF_STOCK),
            Refusal::NotCancellable(Status::Cancelled) => {
                Self::new(NOT_CANCELLABLE).detail("The order is already cancelled.")
            }
            Refusal::NotCancellable(_) => Self::new(NOT_CANCELLABLE).detail("The order has been sent."),
            Refusal::KeyReused => Self::new(IDEMPOTENCY_MISMATCH),
        }
    }
}
