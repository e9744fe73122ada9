//! `GET /notifications` and `POST /notifications/{id}/read`

use std::sync::Arc;

use axum::extract::State;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Answer;
use crate::auth::Caller;
use crate::data::Notification;
use crate::ids::{self, Id};
use crate::input::{PathId, Query};
use crate::paging;
use crate::problem::{NOT_FOUND, Problem};
use crate::state::Shop;

pub(super) fn routes() -> Router<Arc<Shop>> {
    Router::new().route("/notifications", get(list)).route("/notifications/{id}/read", post(mark_read))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Wanted {
    user_id: String,
    unread: Option<bool>,
    limit: Option<usize>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed<'a> {
    items: Vec<Item<'a>>,
    /// All of them, whatever the filter and the limit.
    unread_count: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Item<'a> {
    id: Id,
    title: &'a str,
    body: &'a str,
    read: bool,
    created_at: Timestamp,
}

async fn list(
    State(shop): State<Arc<Shop>>,
    Extension(caller): Extension<Caller>,
    Query(wanted): Query<Wanted>,
) -> Answer {
    let size = paging::size(wanted.limit)?;
    let owner = caller.only(&wanted.user_id)?.ok_or_else(|| Problem::new(NOT_FOUND))?;
    let all = shop.inbox.of_owner(owner);
    let unread_count = all.iter().filter(|(_, read)| !read).count();
    let chosen = all.into_iter().filter(|(_, read)| wanted.unread.is_none_or(|unread| unread != *read));
    let items = chosen
        .take(size)
        .map(|(number, read)| Item::of(&shop.world.notifications[number as usize - 1], read))
        .collect();
    Ok(Json(Listed { items, unread_count }).into_response())
}

async fn mark_read(
    State(shop): State<Arc<Shop>>,
    Extension(caller): Extension<Caller>,
    PathId(id): PathId,
) -> Answer {
    let index = ids::number("n_", &id).map(|number| number as usize - 1);
    let notification = index.and_then(|index| shop.world.notifications.get(index));
    let notification = notification.ok_or_else(|| Problem::new(NOT_FOUND))?;
    caller.must_be(notification.owner)?;
    shop.inbox.mark_read(notification.number);
    Ok(StatusCode::NO_CONTENT.into_response())
}

impl<'a> Item<'a> {
    fn of(notification: &'a Notification, read: bool) -> Self {
        Self {
            id: Id::notification(notification.number),
            title: &notification.title,
            body: notification.body,
            read,
            created_at: notification.created_at,
        }
    }
}
