//! Gives a request up when its time is over.

use std::time::Duration;

use axum::Extension;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderMap, HeaderName};
use problem::{Problem, kind};
use request_context::RequestContext;
use tokio::time::timeout_at;

use crate::arrival;

const REQUEST_TIMEOUT_MS: HeaderName = HeaderName::from_static("x-request-timeout-ms");
/// Ten minutes, the longest a service's own deadline can be.
const MAX_MS: u32 = 600_000;

/// How long the client is ready to wait, if it says so.
pub(crate) fn requested(headers: &HeaderMap) -> Result<Option<Duration>, Problem> {
    let mut values = headers.get_all(REQUEST_TIMEOUT_MS).iter();
    let milliseconds = match (values.next(), values.next()) {
        (None, _) => return Ok(None),
        (Some(value), None) => milliseconds(value.as_bytes()),
        (Some(_), Some(_)) => None,
    };
    let milliseconds = milliseconds.ok_or_else(|| {
        Problem::new(kind::INVALID_REQUEST)
            .detail("X-Request-Timeout-Ms must be one whole number of milliseconds from 1 to 600000.")
    })?;
    Ok(Some(Duration::from_millis(milliseconds.into())))
}

/// Digits alone: the standard parser would also take a sign.
fn milliseconds(value: &[u8]) -> Option<u32> {
    let digits = value.iter().all(u8::is_ascii_digit);
    let number = digits.then(|| std::str::from_utf8(value).ok()?.parse().ok()).flatten()?;
    (1..=MAX_MS).contains(&number).then_some(number)
}

/// Drops what is inside at the deadline, and with it all that is being waited for on the request's behalf.
pub(crate) async fn enforce(
    Extension(context): Extension<RequestContext>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    requested(request.headers())?;
    let (request, arrival) = arrival::watch(request);
    match timeout_at(context.deadline().instant(), next.run(request)).await {
        Ok(response) => Ok(response),
        // Who is slow decides whose fault it is: 4xx or 5xx.
        Err(_) if arrival.is_awaited() => Err(Problem::new(kind::REQUEST_TIMEOUT)),
        Err(_) => Err(Problem::new(kind::DEADLINE_EXCEEDED)),
    }
}
