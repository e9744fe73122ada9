//! What became of a call, in one word: as spans and metrics say it.

use crate::CallErrorKind;
use crate::error::Failure;

/// What became of a call, or of one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Ok,
    Refused,
    Unauthorized,
    Timeout,
    Unavailable,
    Shed,
    BreakerOpen,
    ContractViolation,
    /// Nobody waited for it any more.
    Cancelled,
}

impl Outcome {
    /// All there are, in the order of their declaration.
    pub(crate) const ALL: [Self; 9] = [
        Self::Ok,
        Self::Refused,
        Self::Unauthorized,
        Self::Timeout,
        Self::Unavailable,
        Self::Shed,
        Self::BreakerOpen,
        Self::ContractViolation,
        Self::Cancelled,
    ];

    pub(crate) fn of<T>(result: &Result<T, Failure>) -> Self {
        result.as_ref().err().map_or(Self::Ok, Self::of_failure)
    }

    pub(crate) fn of_failure(failure: &Failure) -> Self {
        match failure.kind {
            CallErrorKind::Refused { .. } => Self::Refused,
            CallErrorKind::Unauthorized => Self::Unauthorized,
            CallErrorKind::Timeout => Self::Timeout,
            CallErrorKind::Unavailable => Self::Unavailable,
            CallErrorKind::Shed { .. } => Self::Shed,
            CallErrorKind::BreakerOpen { .. } => Self::BreakerOpen,
            CallErrorKind::ContractViolation { .. } => Self::ContractViolation,
        }
    }

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Refused => "refused",
            Self::Unauthorized => "unauthorized",
            Self::Timeout => "timeout",
            Self::Unavailable => "unavailable",
            Self::Shed => "shed",
            Self::BreakerOpen => "breaker_open",
            Self::ContractViolation => "contract_violation",
            Self::Cancelled => "cancelled",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_counted_at_its_own_place() {
        for (place, outcome) in Outcome::ALL.into_iter().enumerate() {
            assert_eq!(outcome as usize, place);
        }
    }
}
