//! What every attempt tells the service about the request behind it.

use std::time::Duration;

use http::{HeaderName, HeaderValue};
use request_context::REQUEST_ID;

use crate::Credential;
use crate::call::Call;

/// Milliseconds that the service has left.
const DEADLINE: HeaderName = HeaderName::from_static("x-request-deadline-ms");
const PRIORITY: HeaderName = HeaderName::from_static("x-request-priority");
const USER_ID: HeaderName = HeaderName::from_static("x-user-id");

/// The way back takes time too: the service is told that much less than is left.
const WAY_BACK: Duration = Duration::from_millis(50);

pub(crate) fn headers(mut call: Call) -> Call {
    call.ctx.trace().inject(&mut call.headers);
    let left = call.deadline.remaining().saturating_sub(WAY_BACK).as_millis();
    let left = u64::try_from(left).unwrap_or(u64::MAX).max(1);
    call.headers.insert(DEADLINE, HeaderValue::from(left));
    call.headers.insert(PRIORITY, HeaderValue::from_static(call.ctx.priority().as_str()));
    call.headers.insert(REQUEST_ID, call.ctx.request_id().header_value());
    if let (Credential::Caller, Some(caller)) = (call.operation.credential, call.ctx.caller()) {
        call.headers.insert(USER_ID, caller.subject.header_value());
    }
    call
}
