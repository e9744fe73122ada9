//! What every attempt tells the service about the request behind it.

use http::header::{ACCEPT, AUTHORIZATION, IF_NONE_MATCH};
use http::{HeaderMap, HeaderName, HeaderValue};
use request_context::{BAGGAGE, REQUEST_ID};

use super::deadline::WAY_BACK;
use crate::Credential;
use crate::call::Call;
use crate::events::EVENT_STREAM;

/// Milliseconds that the service has left.
const DEADLINE: HeaderName = HeaderName::from_static("x-request-deadline-ms");
const PRIORITY: HeaderName = HeaderName::from_static("x-request-priority");
/// How many headers a call has, those of the client library included.
const USUAL: usize = 12;
const USER_ID: HeaderName = HeaderName::from_static("x-user-id");

pub(crate) fn headers(mut call: Call) -> Call {
    let (ctx, facts) = (&call.facts.ctx, &call.facts);
    let mut headers = HeaderMap::with_capacity(USUAL);
    let accepted = if facts.operation.streams { EVENT_STREAM } else { "application/json" };
    headers.insert(ACCEPT, HeaderValue::from_static(accepted));
    headers.extend(facts.headers.iter().cloned());
    ctx.trace().inject(call.span, &mut headers);
    // Who issues credentials is told nothing of what they are for.
    if let Some(baggage) = ctx.baggage()
        && facts.operation.credential != Credential::Nobody
    {
        headers.insert(BAGGAGE, baggage.header_value());
    }
    if !facts.operation.streams {
        let left = call.time_left().saturating_sub(WAY_BACK).as_millis();
        headers.insert(DEADLINE, HeaderValue::from(u64::try_from(left).unwrap_or(u64::MAX)));
    }
    headers.insert(PRIORITY, HeaderValue::from_static(ctx.priority().as_str()));
    headers.insert(REQUEST_ID, ctx.request_id().header_value());
    if let (Credential::Caller, Some(caller)) = (facts.operation.credential, ctx.caller()) {
        headers.insert(USER_ID, caller.subject.header_value());
    }
    if let Some(etag) = call.known.as_ref().and_then(|known| known.etag.as_ref()) {
        headers.insert(IF_NONE_MATCH, etag.clone());
    }
    if let Some(authorization) = call.authorization.take() {
        headers.insert(AUTHORIZATION, authorization);
    }
    call.headers = Some(Box::new(headers));
    call
}
