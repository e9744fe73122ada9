//! JWT access tokens (RFC 9068): what makes one valid.
//!
//! Of what section 2.2 demands, all but `client_id` must be there. Providers that type their tokens `at+jwt` send the
//! rest; some call the client `azp` or `cid`, and nothing here is decided by it.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, Header, Validation, decode, decode_header};
use request_context::{RequestContext, Scopes, Subject};
use serde::{Deserialize, Deserializer, de};

use crate::issuer::Issuer;
use crate::keys::{Keys, NoKey};
use crate::rejection::{Fault, Rejection};

/// What a token says while nobody vouches for it: whose rules it is held against, and with which key.
pub(crate) struct Unverified<'a> {
    token: &'a str,
    header: Header,
    pub(crate) issuer: String,
}

/// The rules for tokens of one issuer to one audience.
pub(crate) struct Rules {
    /// One for each pinned algorithm: a token is checked for its own algorithm alone.
    validations: Vec<Validation>,
    leeway: SignedDuration,
}

/// What a valid token says.
pub(crate) struct Grant {
    pub(crate) subject: Subject,
    pub(crate) scopes: Scopes,
    /// The thumbprint of the key that its bearer must hold, if it is bound to one.
    pub(crate) bound_to: Option<Arc<str>>,
    /// The moment from which it is refused, leeway included.
    pub(crate) ends: Timestamp,
    /// The keys that it was verified with.
    pub(crate) generation: u64,
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    #[serde(deserialize_with = "numeric_date")]
    exp: Timestamp,
    #[serde(deserialize_with = "numeric_date")]
    iat: Timestamp,
    jti: String,
    #[serde(default)]
    scope: String,
    cnf: Option<Confirmation>,
}

/// RFC 9449, section 6.1. A token that is bound to anything else (RFC 8705) is refused: to take it without a look at
/// that would be to unbind it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Confirmation {
    jkt: Arc<str>,
}

#[derive(Deserialize)]
struct Issued {
    iss: String,
}

impl<'a> Unverified<'a> {
    pub(crate) fn read(token: &'a str) -> Result<Self, Fault> {
        let header = decode_header(token).map_err(|_| Fault::Malformed)?;
        check_header(&header)?;
        let claims = token.split('.').nth(1).ok_or(Fault::Malformed)?;
        let claims = URL_SAFE_NO_PAD.decode(claims).map_err(|_| Fault::Malformed)?;
        let Issued { iss } = serde_json::from_slice(&claims).map_err(|_| Fault::BadClaim)?;
        Ok(Self { token, header, issuer: iss })
    }
}

/// A header that brings its own key, or demands an extension, is refused.
fn check_header(header: &Header) -> Result<(), Fault> {
    let brings_a_key =
        header.jku.is_some() || header.jwk.is_some() || header.x5u.is_some() || header.x5c.is_some();
    if brings_a_key || header.crit.is_some() {
        return Err(Fault::ForbiddenHeader);
    }
    let is_access_token =
        |typ: &String| typ.eq_ignore_ascii_case("at+jwt") || typ.eq_ignore_ascii_case("application/at+jwt");
    header.typ.as_ref().is_some_and(is_access_token).then_some(()).ok_or(Fault::WrongType)
}

impl Rules {
    pub(crate) fn new(issuer: &Issuer, algorithms: &[Algorithm]) -> Self {
        let settings = issuer.settings();
        let validation = |algorithm: &Algorithm| {
            let mut validation = Validation::new(*algorithm);
            validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
            validation.set_issuer(&[&settings.issuer]);
            validation.set_audience(&[issuer.audience()]);
            validation.validate_nbf = true;
            validation.leeway = settings.leeway.as_secs();
            validation
        };
        Self {
            validations: algorithms.iter().map(validation).collect(),
            leeway: SignedDuration::from_secs(settings.leeway.as_secs().cast_signed()),
        }
    }

    /// What the token says, if it is valid now.
    pub(crate) async fn verify(
        &self,
        ctx: &RequestContext,
        keys: &Keys,
        Unverified { token, header, .. }: &Unverified<'_>,
    ) -> Result<Grant, Rejection> {
        let mut validations = self.validations.iter();
        let validation = validations.find(|validation| validation.algorithms == [header.alg]);
        let validation = validation.ok_or(Fault::WrongAlgorithm)?;
        let id = header.kid.as_deref().ok_or(Fault::UnknownKey)?;
        let key = keys.find(ctx, id, header.alg).await.map_err(rejection)?;
        let token =
            decode::<Claims>(token, &key.material, validation).map_err(|error| fault(error.kind()))?;
        Ok(self.grant(token.claims, key.generation)?)
    }

    fn grant(&self, claims: Claims, generation: u64) -> Result<Grant, Fault> {
        let overflow = |_| Fault::BadClaim;
        let latest = Timestamp::now().checked_add(self.leeway).map_err(overflow)?;
        if claims.iat > latest || claims.iat > claims.exp {
            return Err(Fault::NotYetValid);
        }
        if claims.jti.is_empty() {
            return Err(Fault::BadClaim);
        }
        Ok(Grant {
            subject: Subject::parse(&claims.sub).ok_or(Fault::BadSubject)?,
            scopes: Scopes::parse(&claims.scope),
            bound_to: claims.cnf.map(|cnf| cnf.jkt),
            ends: claims.exp.checked_add(self.leeway).map_err(overflow)?,
            generation,
        })
    }
}

fn rejection(no_key: NoKey) -> Rejection {
    match no_key {
        NoKey::Unknown => Fault::UnknownKey.into(),
        NoKey::OtherAlgorithm => Fault::WrongAlgorithm.into(),
        NoKey::Unavailable(cause) => Rejection::Unavailable(cause),
    }
}

pub(crate) fn fault(error: &ErrorKind) -> Fault {
    match error {
        ErrorKind::InvalidSignature => Fault::WrongSignature,
        ErrorKind::InvalidAlgorithm => Fault::WrongAlgorithm,
        ErrorKind::Json(_) | ErrorKind::MissingRequiredClaim(_) | ErrorKind::InvalidClaimFormat(_) => {
            Fault::BadClaim
        }
        ErrorKind::InvalidIssuer => Fault::WrongIssuer,
        ErrorKind::InvalidAudience => Fault::WrongAudience,
        ErrorKind::ExpiredSignature => Fault::Expired,
        ErrorKind::ImmatureSignature => Fault::NotYetValid,
        _ => Fault::Malformed,
    }
}

/// Seconds since 1970, with or without a fraction (RFC 7519, section 2).
pub(crate) fn numeric_date<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
    let seconds = SignedDuration::try_from_secs_f64(f64::deserialize(from)?).map_err(de::Error::custom)?;
    Timestamp::from_duration(seconds).map_err(de::Error::custom)
}
