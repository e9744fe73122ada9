//! `GET /users/{id}`

use std::sync::Arc;

use axum::extract::State;
use axum::routing::get;
use axum::{Extension, Router};

use super::{Answer, found};
use crate::auth::Caller;
use crate::input::PathId;
use crate::state::Shop;

pub(super) fn routes() -> Router<Arc<Shop>> {
    Router::new().route("/users/{id}", get(user))
}

async fn user(
    State(shop): State<Arc<Shop>>,
    Extension(caller): Extension<Caller>,
    PathId(id): PathId,
) -> Answer {
    let owner = caller.only(&id)?;
    // The accounts come after the users in the table of owners, and are none.
    found(owner.and_then(|owner| shop.world.users.get(owner.index())))
}
