//! `GET /accounts/{userId}/usage`

use std::sync::Arc;

use axum::extract::State;
use axum::routing::get;
use axum::{Extension, Router};

use super::{Answer, found};
use crate::auth::Caller;
use crate::input::PathId;
use crate::state::Shop;

pub(super) fn routes() -> Router<Arc<Shop>> {
    Router::new().route("/accounts/{userId}/usage", get(usage))
}

async fn usage(
    State(shop): State<Arc<Shop>>,
    Extension(caller): Extension<Caller>,
    PathId(id): PathId,
) -> Answer {
    let owner = caller.only(&id)?;
    found(owner.map(|owner| &shop.world.usage[owner.index()]))
}
