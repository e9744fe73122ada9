//! What a screen says about a section that it lost.

use std::time::Duration;

use serde::Serialize;
use upstream_client::{CallError, CallErrorKind, Reason};
use utoipa::ToSchema;

use crate::name;

/// A section that is missing, or not what it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Warning<S> {
    /// The field's name in this screen; a field inside another as `outer.inner`.
    pub section: S,
    /// What became of it.
    pub status: Status,
    /// A fixed text for people.
    pub message: &'static str,
    /// Whether asking again soon may bring it.
    pub retryable: bool,
    /// How old a stale section is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age_seconds: Option<u64>,
}

/// What became of a section.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Its service cannot be reached or failed.
    Unavailable,
    /// Its service did not answer in time.
    Timeout,
    /// Its service has too much to do.
    Shed,
    /// Its service failed so often that it was not asked.
    BreakerOpen,
    /// Its service's answer was not what it should be.
    ContractViolation,
    /// It does not exist.
    NotFound,
    /// The caller may not see it.
    Forbidden,
    /// It is here, but old.
    Stale,
}

impl Status {
    /// What a failed call makes of its section.
    pub(crate) fn of(error: &CallError) -> Self {
        match &error.kind {
            CallErrorKind::Timeout => Self::Timeout,
            CallErrorKind::Unavailable | CallErrorKind::Unauthorized => Self::Unavailable,
            CallErrorKind::Shed { .. } => Self::Shed,
            CallErrorKind::BreakerOpen { .. } => Self::BreakerOpen,
            CallErrorKind::ContractViolation { .. } => Self::ContractViolation,
            CallErrorKind::Refused { reason, .. } => match reason {
                Reason::Forbidden => Self::Forbidden,
                Reason::NotFound | Reason::Gone => Self::NotFound,
                // The call of a section is made by us alone, so a refused one is at odds with its contract.
                Reason::Invalid | Reason::Conflict | Reason::PreconditionFailed | Reason::Unprocessable => {
                    Self::ContractViolation
                }
            },
        }
    }

    /// As clients and telemetry read it.
    pub(crate) fn as_str(self) -> &'static str {
        name::of(&self)
    }

    const fn message(self) -> &'static str {
        match self {
            Self::Unavailable => "This part is not available right now.",
            Self::Timeout => "This part did not answer in time.",
            Self::Shed => "This part has too much to do right now.",
            Self::BreakerOpen => "This part is having trouble and is not asked right now.",
            Self::ContractViolation => "This part gave an answer that cannot be shown.",
            Self::NotFound => "This part does not exist any more.",
            Self::Forbidden => "You may not see this part.",
            Self::Stale => "This part may be out of date.",
        }
    }

    const fn retryable(self) -> bool {
        matches!(self, Self::Unavailable | Self::Timeout | Self::Shed | Self::BreakerOpen | Self::Stale)
    }
}

impl<S> Warning<S> {
    /// The warning for a section that became `status`.
    pub(crate) fn new(section: S, status: Status, age: Option<Duration>) -> Self {
        Self {
            section,
            status,
            message: status.message(),
            retryable: status.retryable(),
            age_seconds: age.map(|age| age.as_secs()),
        }
    }
}
