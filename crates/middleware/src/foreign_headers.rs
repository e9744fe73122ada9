//! Removes what only we may say: identity, priority, deadline and trace of a request.

use axum::extract::Request;
use http::HeaderName;

/// Headers that mean something inside, and so mean nothing when they come from outside.
const NAMES: &[&str] = &[
    "baggage",
    "remote-user",
    "traceparent",
    "tracestate",
    "x-forwarded-access-token",
    "x-forwarded-email",
    "x-forwarded-groups",
    "x-forwarded-preferred-username",
    "x-forwarded-user",
    "x-request-deadline-ms",
    "x-request-id",
    "x-request-priority",
    "x-user-id",
];
const PREFIXES: &[&str] = &["x-auth-request-", "x-authenticated-", "x-envoy-", "x-remote-"];

/// Removes them, however often they were sent and whichever of `-` and `_` joins their words.
pub(crate) fn remove(mut request: Request) -> Request {
    let headers = request.headers_mut();
    let foreign: Vec<HeaderName> = headers.keys().filter(|name| is_foreign(name)).cloned().collect();
    for name in foreign {
        headers.remove(name);
    }
    request
}

fn is_foreign(name: &HeaderName) -> bool {
    let name = name.as_str().as_bytes();
    // Every name of the lists begins with one of these letters, and few other headers do.
    matches!(name.first(), Some(b'b' | b'r' | b't' | b'x'))
        && (NAMES.iter().any(|known| known.len() == name.len() && begins(name, known))
            || PREFIXES.iter().any(|prefix| begins(name, prefix)))
}

/// Some servers turn both into the same variable, so `x_user_id` is as good a forgery as `x-user-id`.
fn begins(name: &[u8], prefix: &str) -> bool {
    let same = |(a, b): (&u8, u8)| *a == b || (*a == b'_' && b == b'-');
    name.len() >= prefix.len() && name.iter().zip(prefix.bytes()).all(same)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_is_known() {
        let foreign = |name: &str| is_foreign(&HeaderName::from_bytes(name.as_bytes()).unwrap());
        for name in [
            "X-User-Id",
            "X_User_Id",
            "x-user_id",
            "X-ENVOY-Original-Path",
            "x_envoy_anything",
            "Remote_User",
            "X-Remote-Groups",
            "x-authenticated-userid",
            "Baggage",
            "TraceState",
        ] {
            assert!(foreign(name), "{name} was kept");
        }
        for name in ["accept", "x-api-key", "x-user-identity", "xuser-id", "traceparents", "x-csrf"] {
            assert!(!foreign(name), "{name} was removed");
        }
    }

    #[test]
    fn the_first_letters_cover_both_lists() {
        let all = NAMES.iter().chain(PREFIXES);
        assert!(all.into_iter().all(|name| name.starts_with(['b', 'r', 't', 'x'])));
    }
}
