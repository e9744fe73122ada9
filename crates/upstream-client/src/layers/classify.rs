//! What an answer's status means.

use std::time::Duration;

use http::header::RETRY_AFTER;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;

use crate::Refusal;
use crate::answer::Answer;
use crate::error::{CallErrorKind, Failure};

/// Keeps a success, and turns everything else into what follows from it.
pub(crate) fn answer(result: Result<Answer, Failure>) -> Result<Answer, Failure> {
    let answer = result?;
    if answer.status.is_success() {
        return Ok(answer);
    }
    let kind = match answer.status {
        StatusCode::UNAUTHORIZED => CallErrorKind::Unauthorized,
        StatusCode::TOO_MANY_REQUESTS => CallErrorKind::Shed { retry_after: retry_after(&answer.headers) },
        StatusCode::SERVICE_UNAVAILABLE if answer.headers.contains_key(RETRY_AFTER) => {
            CallErrorKind::Shed { retry_after: retry_after(&answer.headers) }
        }
        StatusCode::GATEWAY_TIMEOUT => CallErrorKind::Timeout,
        status if status.is_server_error() => CallErrorKind::Unavailable,
        status if is_refusal(status) => CallErrorKind::Refused { status, refusal: refusal(&answer) },
        // Redirects among them: they are not followed, since they would take our credentials along.
        _ => CallErrorKind::ContractViolation { path: "status".into() },
    };
    Err(Failure::caused_by(kind, format!("status {}", answer.status.as_u16())))
}

fn is_refusal(status: StatusCode) -> bool {
    matches!(status.as_u16(), 400 | 403 | 404 | 409 | 410 | 412 | 422)
}

/// `Retry-After` in seconds; its date form is rare between services and counts as no advice.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// The operation's own refusal with the code that ends the problem's `type`.
fn refusal(answer: &Answer) -> Option<&'static Refusal> {
    #[derive(Deserialize)]
    struct Problem<'a> {
        r#type: &'a str,
    }
    if answer.operation.refusals.is_empty() {
        return None;
    }
    let problem: Problem = serde_json::from_slice(&answer.body).ok()?;
    let code = problem.r#type.rsplit([':', '/', '#']).next()?;
    answer.operation.refusals.iter().find(|refusal| refusal.code == code && refusal.status == answer.status)
}
