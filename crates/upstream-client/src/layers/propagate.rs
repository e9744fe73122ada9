//! What every attempt tells the service about the request behind it.

use http::header::ACCEPT;
use http::{HeaderName, HeaderValue};
use request_context::REQUEST_ID;

use super::deadline::WAY_BACK;
use crate::Credential;
use crate::call::Call;

/// Milliseconds that the service has left.
const DEADLINE: HeaderName = HeaderName::from_static("x-request-deadline-ms");
const PRIORITY: HeaderName = HeaderName::from_static("x-request-priority");
const USER_ID: HeaderName = HeaderName::from_static("x-user-id");

pub(crate) fn headers(mut call: Call) -> Call {
    let (ctx, facts, headers) = (&call.facts.ctx, &call.facts, &mut call.headers);
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.extend(facts.headers.iter().cloned());
    ctx.trace().inject(headers);
    let left = call.deadline.remaining().saturating_sub(WAY_BACK).as_millis();
    headers.insert(DEADLINE, HeaderValue::from(u64::try_from(left).unwrap_or(u64::MAX)));
    headers.insert(PRIORITY, HeaderValue::from_static(ctx.priority().as_str()));
    headers.insert(REQUEST_ID, ctx.request_id().header_value());
    if let (Credential::Caller, Some(caller)) = (facts.operation.credential, ctx.caller()) {
        headers.insert(USER_ID, caller.subject.header_value());
    }
    call
}
