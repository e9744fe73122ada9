//! What an upstream may do to its callers.

/// Faults that mean the same to a client.
pub(super) struct Group {
    /// What they have in common.
    pub(super) heading: &'static str,
    /// The answer of a route that needs the call.
    pub(super) required: &'static str,
    /// The status of the warning of a route that does not.
    pub(super) optional: &'static str,
    /// Whether it takes all the time that the call has.
    pub(super) slow: bool,
}

/// A fault rule of the demo shop without its path, and what it means; nothing, if nobody notices.
pub(super) struct Fault {
    pub(super) rule: &'static str,
    pub(super) group: Option<&'static Group>,
}

pub(super) static DOWN: Group = group("Down", "503 unavailable, Retry-After 1", "unavailable");
pub(super) static OVERLOADED: Group = group("Overloaded", "503 overloaded, Retry-After 1", "shed");
pub(super) static SLOW: Group =
    Group { slow: true, ..group("Slow or silent", "504 deadline-exceeded", "timeout") };
pub(super) static BROKEN: Group = group("Broken answer", "502 bad-upstream", "contract_violation");
pub(super) static MISSING: Group = group("`404`", "404 not-found", "not_found");
pub(super) static FORBIDDEN: Group = group("`403`", "403 forbidden", "forbidden");
/// A fresh token is tried once; the client's own was good, so it is never told to get another.
pub(super) static UNAUTHORIZED: Group = group("`401`", "502 bad-upstream", "unavailable");
/// No call leaves.
pub(super) static OPEN: Group = group("Breaker open", "503 unavailable, Retry-After 1", "breaker_open");
/// An old answer is there; who needs a new one is down.
pub(super) static OLD: Group = group("Old", "503 unavailable, Retry-After 1", "stale");

/// The slow ones first, so that others can be tried while they are waited for.
pub(super) static FAULTS: &[Fault] = &[
    fault(r#"{"mode": "hang"}"#, &SLOW),
    fault(r#"{"mode": "drip"}"#, &SLOW),
    Fault { rule: r#"{"mode": "latency", "latencyMs": 150}"#, group: None },
    fault(r#"{"mode": "error", "status": 500}"#, &DOWN),
    fault(r#"{"mode": "reset"}"#, &DOWN),
    fault(r#"{"mode": "truncate"}"#, &DOWN),
    // With Retry-After, as an overloaded service answers.
    fault(r#"{"mode": "error", "status": 503}"#, &OVERLOADED),
    fault(r#"{"mode": "error", "status": 429}"#, &OVERLOADED),
    fault(r#"{"mode": "html"}"#, &BROKEN),
    fault(r#"{"mode": "oversize"}"#, &BROKEN),
    fault(r#"{"mode": "redirect"}"#, &BROKEN),
    fault(r#"{"mode": "wrong_shape"}"#, &BROKEN),
    fault(r#"{"mode": "error", "status": 404}"#, &MISSING),
    fault(r#"{"mode": "error", "status": 403}"#, &FORBIDDEN),
    fault(r#"{"mode": "error", "status": 401}"#, &UNAUTHORIZED),
];

const fn group(heading: &'static str, required: &'static str, optional: &'static str) -> Group {
    Group { heading, required, optional, slow: false }
}

const fn fault(rule: &'static str, group: &'static Group) -> Fault {
    Fault { rule, group: Some(group) }
}
