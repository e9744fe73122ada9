//! Where an upstream's error becomes a problem. Nowhere else does.

use std::time::Duration;

use http::StatusCode;
use problem::{Problem, ProblemKind, kind};
use upstream_client::{CallError, CallErrorKind};

/// When to come back if the service behind did not say.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// For calls that are the whole answer: their error is the answer's problem.
pub trait OrProblem<T> {
    /// The value, or the problem that its loss is to the client.
    fn or_problem(self) -> Result<T, Problem>;
}

impl<T> OrProblem<T> for Result<T, CallError> {
    fn or_problem(self) -> Result<T, Problem> {
        self.map_err(problem)
    }
}

fn problem(error: CallError) -> Problem {
    let problem = match &error.kind {
        CallErrorKind::Timeout => Problem::new(kind::DEADLINE_EXCEEDED),
        CallErrorKind::Unavailable => Problem::new(kind::UNAVAILABLE).retry_after(RETRY_AFTER),
        CallErrorKind::Shed { retry_after } => {
            Problem::new(kind::OVERLOADED).retry_after(retry_after.unwrap_or(RETRY_AFTER))
        }
        CallErrorKind::ContractViolation { .. } | CallErrorKind::Unauthorized => {
            Problem::new(kind::BAD_UPSTREAM)
        }
        CallErrorKind::Refused { status, refusal: None } => Problem::new(refused(*status)),
        CallErrorKind::Refused { status, refusal: Some(refusal) } => {
            Problem::new(ProblemKind { slug: refusal.code, title: refusal.title, status: *status })
        }
    };
    problem.caused_by(error)
}

/// The kind with the status that an upstream refused with: what it refuses, we refuse.
fn refused(status: StatusCode) -> ProblemKind {
    match status.as_u16() {
        400 => kind::INVALID_REQUEST,
        403 => kind::FORBIDDEN,
        404 => kind::NOT_FOUND,
        409 => kind::CONFLICT,
        410 => kind::GONE,
        412 => kind::PRECONDITION_FAILED,
        422 => kind::UNPROCESSABLE,
        _ => kind::BAD_UPSTREAM,
    }
}
