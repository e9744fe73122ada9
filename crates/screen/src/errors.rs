//! Where an upstream's error becomes a problem. Nowhere else does.

use std::time::Duration;

use problem::{Problem, ProblemKind, kind};
use upstream_client::{CallError, CallErrorKind, Reason};

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
        CallErrorKind::BreakerOpen { retry_after } => {
            Problem::new(kind::UNAVAILABLE).retry_after(*retry_after)
        }
        CallErrorKind::Shed { retry_after } => {
            Problem::new(kind::OVERLOADED).retry_after(retry_after.unwrap_or(RETRY_AFTER))
        }
        CallErrorKind::ContractViolation { .. } | CallErrorKind::Unauthorized => {
            Problem::new(kind::BAD_UPSTREAM)
        }
        CallErrorKind::Refused { reason, refusal: None } => Problem::new(refused(*reason)),
        CallErrorKind::Refused { reason, refusal: Some(refusal) } => Problem::new(ProblemKind {
            slug: refusal.code.into(),
            title: refusal.title.into(),
            status: reason.status(),
        }),
    };
    problem.caused_by(error)
}

/// What a service refuses, we refuse.
fn refused(reason: Reason) -> ProblemKind {
    match reason {
        Reason::Invalid => kind::INVALID_REQUEST,
        Reason::Forbidden => kind::FORBIDDEN,
        Reason::NotFound => kind::NOT_FOUND,
        Reason::Conflict => kind::CONFLICT,
        Reason::Gone => kind::GONE,
        Reason::PreconditionFailed => kind::PRECONDITION_FAILED,
        Reason::Unprocessable => kind::UNPROCESSABLE,
    }
}
