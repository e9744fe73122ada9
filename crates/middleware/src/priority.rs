//! Says how important the requests of a group of routes are.

use axum::extract::Request;
use request_context::{Priority, RequestContext};
use tower::util::MapRequestLayer;

/// A layer for `route_layer`: requests that pass it have this priority.
pub fn priority(priority: Priority) -> MapRequestLayer<impl Fn(Request) -> Request + Clone> {
    MapRequestLayer::new(move |mut request: Request| {
        if let Some(context) = request.extensions_mut().get_mut::<RequestContext>() {
            *context = context.with_priority(priority);
        }
        request
    })
}
