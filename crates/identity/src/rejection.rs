//! Why nobody was identified, and what the client and the audit trail learn of it.

use std::time::Duration;

use problem::{Cause, Problem, kind};
use request_context::RequestContext;

use crate::audit;

/// When to try again after the provider could not be asked.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// Why nobody was identified.
#[derive(Debug)]
pub(crate) enum Rejection {
    /// There is no credential.
    Missing,
    /// There is one, and it is bad.
    Bad(Fault),
    /// It may be good: whoever knows cannot be asked.
    Unavailable(Cause),
}

/// What is wrong with a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Doubled,
    Oversized,
    Malformed,
    ForbiddenHeader,
    WrongType,
    WrongAlgorithm,
    UnknownKey,
    WrongSignature,
    BadClaim,
    WrongIssuer,
    WrongAudience,
    BadSubject,
    Expired,
    NotYetValid,
    WrongSecret,
    WrongNonce,
    WrongParty,
    WrongTokenHash,
    WrongSubject,
    WrongEvent,
    ForbiddenClaim,
}

/// A kind of credential and its challenges (RFC 9110, section 11.6.1).
pub(crate) struct Scheme {
    name: &'static str,
    /// To whoever sent none.
    missing: &'static str,
    /// To whoever sent a bad one.
    bad: &'static str,
}

/// RFC 6750, section 3.
pub(crate) const BEARER: Scheme = Scheme {
    name: "bearer",
    missing: r#"Bearer realm="triptych""#,
    bad: r#"Bearer realm="triptych", error="invalid_token""#,
};

/// No scheme is registered for API keys, and a `401` must name one.
pub(crate) const API_KEY: Scheme =
    Scheme { name: "api_key", missing: r#"ApiKey realm="triptych""#, bad: r#"ApiKey realm="triptych""# };

/// Nor for cookies.
pub(crate) const SESSION: Scheme = Scheme {
    name: "session_cookie",
    missing: r#"Cookie realm="triptych""#,
    bad: r#"Cookie realm="triptych""#,
};

impl Rejection {
    /// The answer to the client. A bad credential leaves one audit event.
    pub(crate) fn into_problem(self, ctx: &RequestContext, scheme: &Scheme) -> Problem {
        match self {
            Self::Missing => Problem::new(kind::UNAUTHENTICATED).challenge(scheme.missing),
            Self::Bad(fault) => {
                audit::refused(ctx, scheme.name, &format!("{fault:?}"));
                Problem::new(kind::UNAUTHENTICATED).challenge(scheme.bad)
            }
            Self::Unavailable(cause) => {
                Problem::new(kind::UNAVAILABLE).retry_after(RETRY_AFTER).caused_by(cause)
            }
        }
    }
}

impl From<Fault> for Rejection {
    fn from(fault: Fault) -> Self {
        Self::Bad(fault)
    }
}
