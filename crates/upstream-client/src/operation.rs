//! What is true of every call of one kind.

use std::time::Duration;

use http::{Method, StatusCode};

use crate::Cached;

/// One operation of a domain service, declared once as a static.
#[derive(Debug)]
pub struct Operation {
    /// `service.operation`, as in logs and metrics.
    pub name: &'static str,
    pub(crate) method: Method,
    /// The path, with `{}` for each segment that a call fills in.
    pub path: &'static str,
    /// On whose behalf it is called.
    pub credential: Credential,
    pub(crate) timeout: Option<Duration>,
    pub(crate) max_body: Option<usize>,
    pub(crate) refusals: &'static [Refusal],
    pub(crate) cached: Option<Cached>,
    /// Templates of the tags that a write makes old.
    pub(crate) invalidates: &'static [&'static str],
    /// Whether its answer is an event stream, which has no end of its own.
    pub(crate) streams: bool,
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
        let (credential, timeout, max_body) = (Credential::Caller, None, None);
        let (refusals, cached, invalidates, streams) = (&[], None, &[], false);
        Self { name, method, path, credential, timeout, max_body, refusals, cached, invalidates, streams }
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

    /// Keeps its answers as `rule` says. Nothing is kept without one.
    ///
    /// Does not compile for a write, and for an answer that is personal but kept for everybody.
    #[must_use]
    pub const fn cached(mut self, rule: Cached) -> Self {
        assert!(matches!(self.method, Method::GET), "only reads are kept");
        let personal = matches!(self.credential, Credential::Caller);
        assert!(rule.is_personal() || !personal, "a personal answer is kept for its caller alone");
        self.cached = Some(rule);
        self
    }

    /// The tags of what this write makes old, everywhere; `{subject}` in a tag is the caller's.
    #[must_use]
    pub const fn invalidates(mut self, tags: &'static [&'static str]) -> Self {
        self.invalidates = tags;
        self
    }

    /// Answers with an event stream, for [`CallBuilder::events`](crate::CallBuilder::events): what times and limits a
    /// call ends with the head of its answer.
    ///
    /// Does not compile for a write, and for an answer that is kept.
    #[must_use]
    pub const fn streams(mut self) -> Self {
        assert!(matches!(self.method, Method::GET), "only a read has an event stream");
        assert!(self.cached.is_none(), "what never ends is not kept");
        self.streams = true;
        self
    }

    /// Whether it changes nothing, so that it may be made again, or once for many.
    pub(crate) fn is_read(&self) -> bool {
        self.method == Method::GET && self.credential != Credential::Nobody
    }
}
