//! Logout tokens (OpenID Connect Back-Channel Logout 1.0): what makes one valid (section 2.6).

use jiff::{SignedDuration, Timestamp};
use request_context::Subject;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::claims::{Audience, Clock, NumericDate};
use crate::rejection::Fault;

/// The event that says that somebody was logged out.
const LOGOUT: &str = "http://schemas.openid.net/event/backchannel-logout";
/// A logout token is used at once: one older than this was kept by somebody.
const LONGEST_LIFE: SignedDuration = SignedDuration::from_mins(5);
/// The longest id that is remembered, in bytes.
const LONGEST_ID: usize = 256;

/// Who was logged out.
#[derive(Clone, Debug)]
pub(crate) struct LogoutToken {
    /// The token's own id: it must be heeded once.
    pub(crate) jti: String,
    /// The provider's session that ended; all of the subject's if there is none.
    pub(crate) sid: Option<String>,
    pub(crate) subject: Option<Subject>,
    /// The moment from which the token is refused, and its id need not be remembered.
    pub(crate) ends: Timestamp,
}

#[derive(Deserialize)]
pub(super) struct Claims {
    iss: String,
    sub: Option<String>,
    aud: Audience,
    exp: Option<NumericDate>,
    iat: NumericDate,
    jti: String,
    #[serde(default)]
    events: Map<String, Value>,
    sid: Option<String>,
    /// Forbidden, whatever it is: an ID token has one, and must not be taken for a logout token.
    #[serde(default, deserialize_with = "present")]
    nonce: bool,
}

pub(super) fn is_type(typ: Option<&str>) -> bool {
    let among = |typ: &str| {
        ["JWT", "logout+jwt", "application/logout+jwt"].iter().any(|it| typ.eq_ignore_ascii_case(it))
    };
    typ.is_none_or(among)
}

impl LogoutToken {
    /// Who was logged out, if `claims` are those of a logout token that `issuer` made just now for
    /// `client_id`.
    pub(super) fn check(
        claims: Claims,
        issuer: &str,
        client_id: &str,
        leeway: SignedDuration,
        now: Timestamp,
    ) -> Result<Self, Fault> {
        if claims.iss != issuer {
            return Err(Fault::WrongIssuer);
        }
        if !claims.aud.contains(client_id) {
            return Err(Fault::WrongAudience);
        }
        let ends = ends(&claims, Clock { now, leeway })?;
        if claims.nonce {
            return Err(Fault::ForbiddenClaim);
        }
        if !claims.events.get(LOGOUT).is_some_and(Value::is_object) {
            return Err(Fault::WrongEvent);
        }
        let is_id = |id: &String| (1..=LONGEST_ID).contains(&id.len());
        if !is_id(&claims.jti) || claims.sid.as_ref().is_some_and(|sid| !is_id(sid)) {
            return Err(Fault::BadClaim);
        }
        let subject = claims.sub.map(|sub| Subject::parse(&sub).ok_or(Fault::BadSubject)).transpose()?;
        if claims.sid.is_none() && subject.is_none() {
            return Err(Fault::BadSubject);
        }
        Ok(Self { jti: claims.jti, sid: claims.sid, subject, ends })
    }
}

fn ends(claims: &Claims, clock: Clock) -> Result<Timestamp, Fault> {
    if clock.is_ahead(claims.iat)? {
        return Err(Fault::NotYetValid);
    }
    let latest = claims.iat.0.checked_add(LONGEST_LIFE).map_err(|_| Fault::BadClaim)?;
    let end = NumericDate(claims.exp.map_or(latest, |exp| exp.0.min(latest)));
    if clock.has_passed(end)? {
        return Err(Fault::Expired);
    }
    end.0.checked_add(clock.leeway).map_err(|_| Fault::BadClaim)
}

fn present<'de, D: serde::Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    serde::de::IgnoredAny::deserialize(from).map(|_| true)
}

#[cfg(test)]
mod tests;
