//! How a call fails, one variant per decision that the caller makes.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;

use crate::{Operation, Reason, Refusal};

/// A call that brought no usable answer. Its text is for the log, never for a client.
///
/// Cheap to clone: all who share a call share its failure.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{operation}: {kind}")]
pub struct CallError {
    /// `service.operation`.
    pub operation: &'static str,
    /// What follows from it.
    pub kind: CallErrorKind,
    /// What the transport, the decoder or the token source said.
    #[source]
    pub(crate) cause: Option<SharedError>,
}

impl CallError {
    /// An error of `operation` whose cause is not known: for fakes of domain clients.
    pub fn new(operation: &'static str, kind: CallErrorKind) -> Self {
        Self { operation, kind, cause: None }
    }
}

pub(crate) type BoxError = Box<dyn Error + Send + Sync>;
pub(crate) type SharedError = Arc<dyn Error + Send + Sync>;

/// What follows from a failed call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallErrorKind {
    /// No answer within the call's time, or too little time left to ask.
    #[error("no answer in time")]
    Timeout,
    /// The service cannot be reached, broke off, or answered `5xx`.
    #[error("not available")]
    Unavailable,
    /// The service has too much to do, and says when to come back if it knows.
    #[error("shed")]
    Shed {
        /// How long to wait before the next try.
        retry_after: Option<Duration>,
    },
    /// The operation failed so often that it is not asked for a while.
    #[error("not asked, since it keeps failing")]
    BreakerOpen {
        /// When it is asked again.
        retry_after: Duration,
    },
    /// The answer is not what the contract says.
    #[error("contract violated at {path}")]
    ContractViolation {
        /// Where in the answer: a path such as `items[3].priceCents`, or `status`, `content-type`, `body`.
        path: String,
    },
    /// The service understood and refused.
    #[error("refused with {}", reason.status().as_u16())]
    Refused {
        /// Why.
        reason: Reason,
        /// The operation's own name for it, if it has one.
        refusal: Option<&'static Refusal>,
    },
    /// The service took no credential of ours, a fresh one neither.
    #[error("our credential was refused")]
    Unauthorized,
}

/// A failure inside the stack, before the edge names the operation.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) kind: CallErrorKind,
    pub(crate) cause: Option<SharedError>,
    /// What the service answered, if it did.
    pub(crate) status: Option<StatusCode>,
    /// Whether another attempt may do better: the service was not reached, or said itself that it failed.
    pub(crate) repeatable: bool,
    /// Whether it speaks against the health of the operation.
    pub(crate) unhealthy: bool,
}

impl Failure {
    pub(crate) fn new(kind: CallErrorKind) -> Self {
        Self { kind, cause: None, status: None, repeatable: false, unhealthy: false }
    }

    pub(crate) fn caused_by(kind: CallErrorKind, cause: impl Into<BoxError>) -> Self {
        Self { cause: Some(cause.into().into()), ..Self::new(kind) }
    }

    pub(crate) fn violation(path: impl Into<String>, cause: impl Into<BoxError>) -> Self {
        Self::caused_by(CallErrorKind::ContractViolation { path: path.into() }, cause)
    }

    pub(crate) fn repeatable(self) -> Self {
        Self { repeatable: true, ..self }
    }

    pub(crate) fn unhealthy(self) -> Self {
        Self { unhealthy: true, ..self }
    }

    /// As its caller sees it.
    pub(crate) fn of(self, operation: &Operation) -> CallError {
        CallError { operation: operation.name, kind: self.kind, cause: self.cause }
    }
}
