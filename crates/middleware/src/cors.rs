//! Whose pages may ask from elsewhere, and read the answer (Fetch Standard, section 3.3).

use std::sync::Arc;
use std::time::Duration;

use http::header::{AUTHORIZATION, CONTENT_TYPE, ETAG, LOCATION, ORIGIN, RETRY_AFTER};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method};
use request_context::{Origin, REQUEST_ID};
use tower_http::cors::{AllowCredentials, AllowOrigin, CorsLayer};

use crate::extract::IDEMPOTENCY_KEY;
use crate::writes::REPLAYED;

/// How long a browser need not ask again whether it may.
const PREFLIGHT: Duration = Duration::from_mins(10);

/// The request headers that somebody here reads.
const READ: [HeaderName; 9] = [
    AUTHORIZATION,
    CONTENT_TYPE,
    IDEMPOTENCY_KEY,
    HeaderName::from_static("dpop"),
    HeaderName::from_static("last-event-id"),
    HeaderName::from_static("x-api-key"),
    HeaderName::from_static("x-app-version"),
    HeaderName::from_static("x-csrf"),
    HeaderName::from_static("x-request-timeout-ms"),
];

/// For these origins and nobody else, with their cookies; nothing at all if there are none.
pub(crate) fn layer(origins: &[Origin]) -> Option<CorsLayer> {
    if origins.is_empty() {
        return None;
    }
    let allowed: Arc<[HeaderValue]> = origins.iter().map(Origin::header_value).collect();
    let layer = CorsLayer::new()
        .allow_origin(AllowOrigin::list(allowed.iter().cloned()))
        .allow_credentials(AllowCredentials::predicate(move |origin, _: &Parts| allowed.contains(origin)))
        .allow_methods([Method::GET, Method::HEAD, Method::POST])
        .allow_headers(READ)
        .expose_headers([ETAG, LOCATION, RETRY_AFTER, REQUEST_ID, REPLAYED])
        .max_age(PREFLIGHT)
        .vary([ORIGIN]);
    Some(layer)
}
