//! `GET /orders/events`: server-sent events, one for every new status of the user's orders.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::stream;
use futures::{StreamExt, future::ready};
use http::HeaderMap;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio_stream::wrappers::BroadcastStream;

use crate::auth::Caller;
use crate::data::Status;
use crate::ids::Id;
use crate::input::Query;
use crate::problem::{NOT_FOUND, Problem};
use crate::services::Answer;
use crate::state::{Announcement, Shop};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Wanted {
    user_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    order_id: Id,
    status: Status,
    at: Timestamp,
}

/// Ends when the shop closes, or when the watcher is too slow; who comes back with `Last-Event-ID` misses nothing
/// that the history still holds.
pub(super) async fn stream(
    State(shop): State<Arc<Shop>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Query(wanted): Query<Wanted>,
) -> Answer {
    let owner = caller.only(&wanted.user_id)?.ok_or_else(|| Problem::new(NOT_FOUND))?;
    let last_event_id = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let (missed, live) = shop.announcements.watch(owner, last_event_id);
    let live =
        BroadcastStream::new(live).take_while(|next| ready(next.is_ok())).filter_map(|next| ready(next.ok()));
    let closing = shop.closing.clone().cancelled_owned();
    let heartbeat = KeepAlive::new().interval(shop.heartbeat);
    let events = stream::iter(missed)
        .chain(live)
        .map(move |announcement| Ok::<_, Infallible>(event(&shop, &announcement)));
    Ok(Sse::new(events.take_until(closing)).keep_alive(heartbeat).into_response())
}

fn event(shop: &Shop, announcement: &Announcement) -> Event {
    let data = Data { order_id: announcement.order, status: announcement.status, at: announcement.at };
    let event = Event::default().id(shop.announcements.id(announcement)).event("order-status");
    event.json_data(data).expect("ids, words and times always serialize")
}
