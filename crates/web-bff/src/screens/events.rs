//! `GET /events`: what happens to the caller's orders, as it happens.

mod frame;
mod relay;
mod source;

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName};
use axum::response::{IntoResponse, Response};
use domain_clients::EventId;
use jiff::Timestamp;
use middleware::Context;
use screen::{OrProblem, Problem, Problems, kind};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::AppState;
use crate::recall::Recalled;
use relay::Relay;
use source::Source;

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// Proxies that buffer answers by themselves let this one through.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// The events of the caller's orders, as server-sent events, until the session ends (`event: session-ended`), the
/// stream has its age or the service goes: then the client comes back with `Last-Event-ID`, after the time that the
/// last `retry:` says. Comments say that nothing has happened.
#[utoipa::path(
    get, path = "/events", operation_id = "events", tag = "orders",
    params((
        "Last-Event-ID" = Option<String>, Header,
        description = "The id of the last event that was seen: those that came after it come first"
    )),
    responses(
        (
            status = 200, description = "`event: order-status`, with an `id` and these data",
            body = OrderEvent, content_type = "text/event-stream"
        ),
        Problems
    )
)]
pub(crate) async fn stream(
    Context(ctx): Context,
    State(app): State<AppState>,
    head: Parts,
) -> Result<Response, Problem> {
    let after = last_event_id(&head.headers)?;
    let caller = ctx.caller().ok_or_else(|| Problem::new(kind::UNAUTHENTICATED))?;
    let place = app.streams.enter(caller)?;
    // Whoever is told 200 listens: what happens from here on is in the stream.
    let events = app.orders.events(&ctx, after.as_ref()).await.or_problem()?;

    let request = Recalled::new(&ctx);
    let source = Source::new(app.orders, request.clone(), events, after);
    let refused = app.recall.refused(request, Arc::new(bare(head)), app.streams.settings().recheck);
    let closing = app.streams.closing().clone().cancelled_owned();
    let relay = Relay::new(source.events(), refused, closing, app.streams.settings(), place);
    let ending = relay.ending();
    let headers = [
        (CONTENT_TYPE, "text/event-stream"),
        (CACHE_CONTROL, "no-store, no-transform"),
        (X_ACCEL_BUFFERING, "no"),
    ];
    let mut response = (headers, relay.into_body()).into_response();
    response.extensions_mut().insert(ending);
    Ok(response)
}

/// A client only ever has an id from us.
fn last_event_id(headers: &HeaderMap) -> Result<Option<EventId>, Problem> {
    let Some(id) = headers.get(LAST_EVENT_ID) else {
        return Ok(None);
    };
    EventId::parse(id).map(Some).ok_or_else(|| {
        Problem::new(kind::INVALID_REQUEST)
            .detail("Last-Event-ID must be the id of an event that was received: 1 to 256 bytes of UTF-8.")
    })
}

/// The head without what the layers have put into it: it is kept for an hour.
fn bare(mut head: Parts) -> Parts {
    head.extensions.clear();
    head
}

/// An order has reached a new status.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OrderEvent {
    order_id: String,
    status: String,
    at: Timestamp,
}

impl From<domain_clients::OrderEvent> for OrderEvent {
    fn from(event: domain_clients::OrderEvent) -> Self {
        Self { order_id: event.order_id.into(), status: event.status, at: event.at }
    }
}
