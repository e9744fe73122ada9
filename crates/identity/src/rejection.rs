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
    Revoked,
    NotYetValid,
    WrongSecret,
    WrongNonce,
    WrongParty,
    WrongTokenHash,
    WrongSubject,
    WrongEvent,
    ForbiddenClaim,
    /// The token is bound to a key, and came as if it were not.
    ProofMissing,
    /// The token is bound to no key, and would be good for whoever finds it.
    Unbound,
    /// What is wrong with the proof that came with the token.
    Proof(ProofFault),
}

/// What is wrong with a proof of possession (RFC 9449, section 4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProofFault {
    Missing,
    Doubled,
    Oversized,
    Malformed,
    WrongType,
    WrongAlgorithm,
    ForbiddenHeader,
    /// The key is not public, or none that signs with the proof's algorithm.
    BadKey,
    /// The token is bound to another key.
    OtherKey,
    WrongSignature,
    BadClaim,
    OtherMethod,
    OtherUrl,
    OtherToken,
    /// Made too long ago, or later than now.
    OutOfTime,
    Replayed,
}

/// A kind of credential and its challenges (RFC 9110, section 11.6.1).
pub(crate) struct Scheme {
    name: &'static str,
    /// To whoever sent none.
    missing: &'static str,
    /// To whoever sent a bad one.
    bad: &'static str,
}

/// RFC 6750, section 3. Who sent nothing may choose (RFC 9449, section 7.2).
pub(crate) const BEARER: Scheme = Scheme {
    name: "bearer",
    missing: r#"Bearer realm="triptych", DPoP realm="triptych", algs="ES256 ES384 EdDSA PS256 RS256""#,
    bad: r#"Bearer realm="triptych", error="invalid_token""#,
};

/// RFC 9449, section 7.1: what is wrong is the token.
pub(crate) const DPOP: Scheme = Scheme {
    name: "dpop",
    missing: r#"DPoP realm="triptych", algs="ES256 ES384 EdDSA PS256 RS256""#,
    bad: r#"DPoP realm="triptych", error="invalid_token", algs="ES256 ES384 EdDSA PS256 RS256""#,
};

/// RFC 9449, section 7.1: what is wrong is the proof.
pub(crate) const PROOF: Scheme = Scheme {
    name: "dpop",
    missing: DPOP.missing,
    bad: r#"DPoP realm="triptych", error="invalid_dpop_proof", algs="ES256 ES384 EdDSA PS256 RS256""#,
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

impl From<ProofFault> for Rejection {
    fn from(fault: ProofFault) -> Self {
        Self::Bad(Fault::Proof(fault))
    }
}
