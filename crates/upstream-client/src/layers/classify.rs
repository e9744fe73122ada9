//! What an answer's status means.

use std::time::Duration;

use http::header::RETRY_AFTER;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;

use crate::answer::Reply;
use crate::error::{CallErrorKind, Failure};
use crate::{Reason, Refusal};

/// Nobody is told to come back later than this, whatever a service says.
const LONGEST_ADVICE: Duration = Duration::from_hours(1);

/// Keeps a success, and turns everything else into what follows from it.
pub(crate) fn reply(result: Result<Reply, Failure>) -> Result<Reply, Failure> {
    let reply = result?;
    let status = reply.status;
    // Who did not ask whether something has changed is told so by the contract.
    if status.is_success() || status == StatusCode::NOT_MODIFIED {
        return Ok(reply);
    }
    let retry_after = retry_after(&reply.headers);
    let kind = match (status, Reason::of(status)) {
        (_, Some(reason)) => CallErrorKind::Refused { reason, refusal: refusal(&reply, reason) },
        (StatusCode::UNAUTHORIZED, _) => CallErrorKind::Unauthorized,
        (StatusCode::TOO_MANY_REQUESTS, _) => CallErrorKind::Shed { retry_after },
        (StatusCode::SERVICE_UNAVAILABLE, _) if reply.headers.contains_key(RETRY_AFTER) => {
            CallErrorKind::Shed { retry_after }
        }
        (StatusCode::GATEWAY_TIMEOUT, _) => CallErrorKind::Timeout,
        _ if status.is_server_error() => CallErrorKind::Unavailable,
        // Redirects among them: they are not followed, since they would take our credentials along.
        _ => CallErrorKind::ContractViolation { path: "status".into() },
    };
    let repeatable = matches!(kind, CallErrorKind::Unavailable | CallErrorKind::Shed { .. });
    let failure = Failure::caused_by(kind, format!("status {}", status.as_u16()));
    Err(Failure { status: Some(status), repeatable, unhealthy: status.is_server_error(), ..failure })
}

/// `Retry-After` in seconds; its date form is rare between services and counts as no advice.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(LONGEST_ADVICE))
}

/// The operation's own refusal with the code that ends the problem's `type`, or that an authorization server
/// gives as `error` (RFC 6749, section 5.2).
fn refusal(reply: &Reply, reason: Reason) -> Option<&'static Refusal> {
    #[derive(Deserialize)]
    struct Said<'a> {
        r#type: Option<&'a str>,
        error: Option<&'a str>,
    }
    if reply.operation.refusals.is_empty() {
        return None;
    }
    let said: Said = serde_json::from_slice(&reply.body).ok()?;
    let of_type = said.r#type.and_then(|it| it.rsplit([':', '/', '#']).next());
    let named = |code| move |refusal: &&Refusal| refusal.code == code && refusal.reason == reason;
    let codes = [of_type, said.error].into_iter().flatten();
    codes.into_iter().find_map(|code| reply.operation.refusals.iter().find(named(code)))
}
