//! What answers say about a quota: lists of strings with parameters (RFC 9651).

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use store::Taken;

use super::Plan;

const RATELIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const RATELIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// Writes the plan, and how much of it is left until one request more is.
///
/// `t` is the time in which no more than `r` can be made, and what `Retry-After` says when there is none left.
pub(super) fn write(headers: &mut HeaderMap, plan: &Plan, taken: &Taken) {
    let (name, next) = (plan.name(), seconds(taken.next));
    let limit = format!("\"{name}\";r={};t={next}", taken.remaining);
    headers.insert(RATELIMIT_POLICY, plan.policy());
    headers.insert(RATELIMIT, HeaderValue::try_from(limit).expect("a plan's name is visible ASCII"));
}

/// In whole seconds, rounded up: whoever waits for so long has waited long enough.
pub(super) fn seconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis().div_ceil(1000)).unwrap_or(u64::MAX)
}
