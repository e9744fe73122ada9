//! What an answer's status means.

use std::time::Duration;

use http::header::RETRY_AFTER;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;

use crate::answer::Answer;
use crate::error::{CallErrorKind, Failure};
use crate::{Reason, Refusal};

/// Keeps a success, and turns everything else into what follows from it.
pub(crate) fn answer(result: Result<Answer, Failure>) -> Result<Answer, Failure> {
    let answer = result?;
    if answer.status.is_success() {
        return Ok(answer);
    }
    let status = answer.status;
    let retry_after = retry_after(&answer.headers);
    let kind = match (status, Reason::of(status)) {
        (_, Some(reason)) => CallErrorKind::Refused { reason, refusal: refusal(&answer, reason) },
        (StatusCode::UNAUTHORIZED, _) => CallErrorKind::Unauthorized,
        (StatusCode::TOO_MANY_REQUESTS, _) => CallErrorKind::Shed { retry_after },
        (StatusCode::SERVICE_UNAVAILABLE, _) if answer.headers.contains_key(RETRY_AFTER) => {
            CallErrorKind::Shed { retry_after }
        }
        (StatusCode::GATEWAY_TIMEOUT, _) => CallErrorKind::Timeout,
        _ if status.is_server_error() => CallErrorKind::Unavailable,
        // Redirects among them: they are not followed, since they would take our credentials along.
        _ => CallErrorKind::ContractViolation { path: "status".into() },
    };
    Err(Failure::caused_by(kind, format!("status {}", status.as_u16())))
}

/// `Retry-After` in seconds; its date form is rare between services and counts as no advice.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// The operation's own refusal with the code that ends the problem's `type`.
fn refusal(answer: &Answer, reason: Reason) -> Option<&'static Refusal> {
    #[derive(Deserialize)]
    struct Problem<'a> {
        r#type: &'a str,
    }
    if answer.operation.refusals.is_empty() {
        return None;
    }
    let problem: Problem = serde_json::from_slice(&answer.body).ok()?;
    let code = problem.r#type.rsplit([':', '/', '#']).next()?;
    answer.operation.refusals.iter().find(|refusal| refusal.code == code && refusal.reason == reason)
}
