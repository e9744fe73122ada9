//! What is true of every call of one kind.

use std::time::Duration;

use http::{Method, StatusCode};

/// One operation of a domain service, declared once as a static.
#[derive(Debug)]
pub struct Operation {
    /// `service.operation`, as in logs and metrics.
    pub name: &'static str,
    pub(crate) method: Method,
    /// The path, with `{}` for each segment that a call fills in.
    pub(crate) path: &'static str,
    pub(crate) credential: Credential,
    pub(crate) timeout: Option<Duration>,
    pub(crate) max_body: Option<usize>,
    pub(crate) refusals: &'static [Refusal],
}

/// On whose behalf an operation is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credential {
    /// The caller's: the answer is personal.
    Caller,
    /// This BFF's own: the answer is public, so nothing personal goes along.
    Service,
    /// None at all, for a provider of credentials.
    Nobody,
}

/// A refusal with a name of its own, which clients may rely on.
#[derive(Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The last part of the `type` in the service's problem answer, and of ours.
    pub code: &'static str,
    /// A short text for people.
    pub title: &'static str,
    /// The status that goes with it.
    pub reason: Reason,
}

/// Why a service refuses: the statuses that reach the client unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// 400
    Invalid,
    /// 403
    Forbidden,
    /// 404
    NotFound,
    /// 409
    Conflict,
    /// 410
    Gone,
    /// 412
    PreconditionFailed,
    /// 422
    Unprocessable,
}

impl Reason {
    /// `None` for every status that says something else.
    pub(crate) fn of(status: StatusCode) -> Option<Self> {
        Some(match status {
            StatusCode::BAD_REQUEST => Self::Invalid,
            StatusCode::FORBIDDEN => Self::Forbidden,
            StatusCode::NOT_FOUND => Self::NotFound,
            StatusCode::CONFLICT => Self::Conflict,
            StatusCode::GONE => Self::Gone,
            StatusCode::PRECONDITION_FAILED => Self::PreconditionFailed,
            StatusCode::UNPROCESSABLE_ENTITY => Self::Unprocessable,
            _ => return None,
        })
    }

    /// The status.
    pub const fn status(self) -> StatusCode {
        match self {
            Self::Invalid => StatusCode::BAD_REQUEST,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Conflict => StatusCode::CONFLICT,
            Self::Gone => StatusCode::GONE,
            Self::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
            Self::Unprocessable => StatusCode::UNPROCESSABLE_ENTITY,
        }
    }
}

impl Operation {
    /// A read.
    pub const fn get(name: &'static str, path: &'static str) -> Self {
        Self::new(name, Method::GET, path)
    }

    /// A write.
    pub const fn post(name: &'static str, path: &'static str) -> Self {
        Self::new(name, Method::POST, path)
    }

    const fn new(name: &'static str, method: Method, path: &'static str) -> Self {
        let credential = Credential::Caller;
        Self { name, method, path, credential, timeout: None, max_body: None, refusals: &[] }
    }

    /// Called with this BFF's own token and without the caller's name: for answers that are public.
    #[must_use]
    pub const fn as_service(mut self) -> Self {
        self.credential = Credential::Service;
        self
    }

    /// Called without any token.
    #[must_use]
    pub const fn as_nobody(mut self) -> Self {
        self.credential = Credential::Nobody;
        self
    }

    /// Another timeout than the service's usual one.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Another cap on the answer than the service's usual one, in bytes.
    #[must_use]
    pub const fn max_body(mut self, bytes: usize) -> Self {
        self.max_body = Some(bytes);
        self
    }

    /// The refusals that have a name of their own.
    #[must_use]
    pub const fn refusals(mut self, refusals: &'static [Refusal]) -> Self {
        self.refusals = refusals;
        self
    }
}
