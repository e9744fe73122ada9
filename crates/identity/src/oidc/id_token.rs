//! ID tokens: what makes one valid (OpenID Connect Core 1.0, sections 3.1.3.7 and 12.2).

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::Algorithm;
use request_context::Subject;
use serde::Deserialize;
use subtle::ConstantTimeEq;

use super::claims::{Audience, Clock, NumericDate};
use crate::rejection::Fault;

/// The longest name that is shown, in characters.
const LONGEST_NAME: usize = 200;
/// The longest name of a provider's session, in bytes.
const LONGEST_SID: usize = 256;

#[derive(Deserialize)]
pub(super) struct IdToken {
    iss: String,
    sub: String,
    aud: Audience,
    azp: Option<String>,
    exp: NumericDate,
    iat: NumericDate,
    nbf: Option<NumericDate>,
    nonce: Option<String>,
    at_hash: Option<String>,
    sid: Option<String>,
    name: Option<String>,
    preferred_username: Option<String>,
}

/// What an ID token must agree with.
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) client_id: &'a str,
    /// The one that came with it.
    pub(super) access_token: &'a str,
    /// That of the sign-in; `None` at a refresh, where the token may have none.
    pub(super) nonce: Option<&'a str>,
    /// Who it must be, where that is known before.
    pub(super) subject: Option<&'a Subject>,
    pub(super) leeway: SignedDuration,
}

/// Whom an ID token is about.
pub(super) struct Person {
    pub(super) subject: Subject,
    pub(super) name: Option<String>,
    pub(super) sid: Option<String>,
}

/// Plain tokens have no type or this one; access tokens and logout tokens have one of their own (RFC 8725,
/// section 3.11).
pub(super) fn is_type(typ: Option<&str>) -> bool {
    typ.is_none_or(|typ| typ.eq_ignore_ascii_case("JWT"))
}

impl IdToken {
    /// Whom it is about, if it is what was `expected` from an issuer that signs with `algorithm`.
    pub(super) fn check(
        self,
        algorithm: Algorithm,
        expected: &Expected<'_>,
        now: Timestamp,
    ) -> Result<Person, Fault> {
        if self.iss != expected.issuer {
            return Err(Fault::WrongIssuer);
        }
        self.check_audience(expected.client_id)?;
        self.check_time(Clock { now, leeway: expected.leeway })?;
        if let Some(nonce) = expected.nonce {
            let given = self.nonce.as_deref().unwrap_or_default();
            if !bool::from(given.as_bytes().ct_eq(nonce.as_bytes())) {
                return Err(Fault::WrongNonce);
            }
        }
        if let Some(at_hash) = &self.at_hash
            && *at_hash != half_hash(algorithm, expected.access_token)
        {
            return Err(Fault::WrongTokenHash);
        }
        let subject = Subject::parse(&self.sub).ok_or(Fault::BadSubject)?;
        if expected.subject.is_some_and(|expected| *expected != subject) {
            return Err(Fault::WrongSubject);
        }
        if self.sid.as_ref().is_some_and(|sid| sid.is_empty() || sid.len() > LONGEST_SID) {
            return Err(Fault::BadClaim);
        }
        let name = self.name.as_deref().and_then(presentable);
        let name = name.or_else(|| self.preferred_username.as_deref().and_then(presentable));
        Ok(Person { subject, name, sid: self.sid })
    }

    /// Steps 3 to 5: it is meant for us, and if for others too, then it was issued to us.
    fn check_audience(&self, client_id: &str) -> Result<(), Fault> {
        if !self.aud.contains(client_id) {
            return Err(Fault::WrongAudience);
        }
        let azp = self.azp.as_deref();
        let must_be_named = self.aud.names().len() > 1;
        if azp.map_or(must_be_named, |azp| azp != client_id) {
            return Err(Fault::WrongParty);
        }
        Ok(())
    }

    fn check_time(&self, clock: Clock) -> Result<(), Fault> {
        if clock.has_passed(self.exp)? {
            return Err(Fault::Expired);
        }
        let begins = [Some(self.iat), self.nbf];
        for begin in begins.into_iter().flatten() {
            if clock.is_ahead(begin)? || begin.0 > self.exp.0 {
                return Err(Fault::NotYetValid);
            }
        }
        Ok(())
    }
}

/// The left half of the hash that goes with the signature's algorithm (section 3.1.3.6).
fn half_hash(algorithm: Algorithm, access_token: &str) -> String {
    let hash = match algorithm {
        Algorithm::ES384 | Algorithm::PS384 | Algorithm::RS384 => &digest::SHA384,
        // Ed25519 hashes with SHA-512 itself.
        Algorithm::EdDSA | Algorithm::PS512 | Algorithm::RS512 => &digest::SHA512,
        _ => &digest::SHA256,
    };
    let hash = digest::digest(hash, access_token.as_bytes());
    let (half, _) = hash.as_ref().split_at(hash.as_ref().len() / 2);
    URL_SAFE_NO_PAD.encode(half)
}

/// A name as people may see it: one line of bounded length.
fn presentable(name: &str) -> Option<String> {
    let line: String = name.trim().chars().filter(|it| !it.is_control()).take(LONGEST_NAME).collect();
    (!line.is_empty()).then_some(line)
}

#[cfg(test)]
mod tests;
