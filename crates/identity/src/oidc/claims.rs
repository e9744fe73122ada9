//! What the provider signs for us: its signature, and the claims that every such token has.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::dangerous::insecure_decode;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, Header, Validation, decode, decode_header};
use request_context::RequestContext;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

use crate::jwt;
use crate::keys::{Keys, NoKey};
use crate::provider::ProviderError;
use crate::rejection::Fault;

/// The longest token that is looked at, in bytes.
const MAX_TOKEN: usize = 16 << 10;

/// How tokens of one kind are signed.
pub(super) struct Issued<'a> {
    pub(super) keys: &'a Keys,
    /// The pinned algorithms.
    pub(super) algorithms: &'a [Algorithm],
    /// Whether `typ` is this kind's, so that a token of another kind is not taken for one.
    pub(super) is_type: fn(Option<&str>) -> bool,
}

/// A token whose signature is good. Nothing else was checked.
pub(super) struct Signed<T> {
    pub(super) claims: T,
    pub(super) algorithm: Algorithm,
}

/// Why a token is not trusted.
pub(super) enum Untrusted {
    Bad(Fault),
    /// The provider's keys are needed and cannot be had.
    Unavailable(Arc<ProviderError>),
}

impl Issued<'_> {
    pub(super) async fn verify<T: DeserializeOwned>(
        &self,
        ctx: &RequestContext,
        token: &str,
    ) -> Result<Signed<T>, Untrusted> {
        let header = self.checked_header(token).map_err(Untrusted::Bad)?;
        let id = header.kid.as_deref().ok_or(Untrusted::Bad(Fault::UnknownKey))?;
        let algorithm = header.alg;
        let key = self.keys.find(ctx, id, algorithm).await.map_err(|no_key| match no_key {
            NoKey::Unknown => Untrusted::Bad(Fault::UnknownKey),
            NoKey::OtherAlgorithm => Untrusted::Bad(Fault::WrongAlgorithm),
            NoKey::Unavailable(cause) => Untrusted::Unavailable(cause),
        })?;
        let decoded = decode(token, &key.material, &signature_alone(algorithm));
        let claims = decoded.map_err(|error| Untrusted::Bad(fault(error.kind())))?.claims;
        Ok(Signed { claims, algorithm })
    }

    /// A header that brings its own key, or demands an extension, is refused.
    fn checked_header(&self, token: &str) -> Result<Header, Fault> {
        if token.len() > MAX_TOKEN {
            return Err(Fault::Oversized);
        }
        let header = decode_header(token).map_err(|_| Fault::Malformed)?;
        let brings_a_key =
            header.jku.is_some() || header.jwk.is_some() || header.x5u.is_some() || header.x5c.is_some();
        if brings_a_key || header.crit.is_some() {
            return Err(Fault::ForbiddenHeader);
        }
        if !(self.is_type)(header.typ.as_deref()) {
            return Err(Fault::WrongType);
        }
        if !self.algorithms.contains(&header.alg) {
            return Err(Fault::WrongAlgorithm);
        }
        Ok(header)
    }
}

/// What a token says whose signature nobody looked at: for one that came from where it is issued.
pub(super) fn unverified<T: DeserializeOwned>(token: &str) -> Result<Signed<T>, Fault> {
    let token = insecure_decode::<T>(token).map_err(|error| fault(error.kind()))?;
    Ok(Signed { claims: token.claims, algorithm: token.header.alg })
}

/// The claims are checked by whoever knows what they must be.
fn signature_alone(algorithm: Algorithm) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation
}

fn fault(error: &ErrorKind) -> Fault {
    match error {
        ErrorKind::InvalidSignature => Fault::WrongSignature,
        ErrorKind::InvalidAlgorithm => Fault::WrongAlgorithm,
        ErrorKind::Json(_) => Fault::BadClaim,
        _ => Fault::Malformed,
    }
}

/// One audience or several (RFC 7519, section 4.1.3).
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Audience {
    pub(super) fn names(&self) -> &[String] {
        match self {
            Self::One(name) => std::slice::from_ref(name),
            Self::Several(names) => names,
        }
    }

    pub(super) fn contains(&self, name: &str) -> bool {
        self.names().iter().any(|it| it == name)
    }
}

/// Seconds since 1970.
#[derive(Clone, Copy)]
pub(super) struct NumericDate(pub(super) Timestamp);

impl<'de> Deserialize<'de> for NumericDate {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        jwt::numeric_date(from).map(Self)
    }
}

/// When a token is valid, with the leeway that another's clock needs.
#[derive(Clone, Copy)]
pub(super) struct Clock {
    pub(super) now: Timestamp,
    pub(super) leeway: SignedDuration,
}

impl Clock {
    pub(super) fn has_passed(self, end: NumericDate) -> Result<bool, Fault> {
        let end = end.0.checked_add(self.leeway).map_err(|_| Fault::BadClaim)?;
        Ok(end <= self.now)
    }

    pub(super) fn is_ahead(self, begin: NumericDate) -> Result<bool, Fault> {
        let latest = self.now.checked_add(self.leeway).map_err(|_| Fault::BadClaim)?;
        Ok(begin.0 > latest)
    }
}
