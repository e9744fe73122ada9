//! The tokens of the demo identity provider: signed by it, verified by every service.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

/// How many verified tokens are remembered, so that a token's signature is checked once.
const REMEMBERED: usize = 10_000;
const TYPE: &str = "at+jwt";

/// What a token says (RFC 9068).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Claims {
    pub(crate) iss: String,
    pub(crate) sub: String,
    pub(crate) aud: Vec<String>,
    pub(crate) exp: i64,
    pub(crate) iat: i64,
    pub(crate) nbf: i64,
    pub(crate) jti: String,
    pub(crate) client_id: String,
    pub(crate) scope: String,
    /// Which sign-in it comes from, if one: when that is revoked, the token is exchanged no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) grant_id: Option<String>,
    /// Who acts for the subject (RFC 8693 §4.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) act: Option<Act>,
}

/// A client that acts for a subject, the latest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Act {
    pub(crate) sub: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) act: Option<Box<Self>>,
}

/// The one key of the demo. Derived from the seed, so that processes that never talk agree on it.
pub(crate) struct SigningKey {
    signing: EncodingKey,
    /// The public key, as a JWK has it.
    pub(crate) x: String,
    /// The JWK's thumbprint (RFC 7638).
    pub(crate) id: String,
}

impl SigningKey {
    /// The key that belongs to this seed.
    pub(crate) fn derived_from(seed: u64) -> Self {
        let secret = digest(&SHA256, format!("triptych demo-shop signing key{seed}").as_bytes());
        let pair =
            Ed25519KeyPair::from_seed_unchecked(secret.as_ref()).expect("any 32 bytes are a secret key");
        let der: Pkcs8V1Der<'_> = pair.as_der().expect("a key pair has a DER form");
        let x = BASE64_URL_SAFE_NO_PAD.encode(pair.public_key());
        let thumbprint = digest(&SHA256, format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#).as_bytes());
        Self {
            signing: EncodingKey::from_ed_der(der.as_ref()),
            id: BASE64_URL_SAFE_NO_PAD.encode(thumbprint),
            x,
        }
    }

    /// The access token that says this.
    pub(crate) fn sign(&self, claims: &Claims) -> String {
        self.sign_as(TYPE, claims)
    }

    /// A token of another type.
    pub(crate) fn sign_as(&self, r#type: &str, claims: &impl Serialize) -> String {
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(r#type.to_owned());
        header.kid = Some(self.id.clone());
        jsonwebtoken::encode(&header, claims, &self.signing).expect("our own key signs our own claims")
    }
}

/// Checks tokens: signature, issuer, type and times. Whom a token is for is the service's to check.
pub(crate) struct Verifier {
    key: DecodingKey,
    validation: Validation,
    verified: Mutex<HashMap<String, Arc<Claims>>>,
}

impl Verifier {
    /// Verifies what this key signed in the name of this issuer.
    pub(crate) fn new(key: &SigningKey, issuer: &str) -> Self {
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_required_spec_claims(&["exp", "nbf", "iss", "sub", "aud"]);
        validation.set_issuer(&[issuer]);
        validation.validate_aud = false;
        validation.validate_nbf = true;
        validation.leeway = 0;
        let key = DecodingKey::from_ed_components(&key.x).expect("our own key is well-formed");
        Self { key, validation, verified: Mutex::default() }
    }

    /// What a token says, if it is valid now.
    pub(crate) fn verify(&self, token: &str) -> Option<Arc<Claims>> {
        let known = self.verified().get(token).cloned();
        let claims = known.or_else(|| self.check(token))?;
        (claims.exp > Timestamp::now().as_second()).then_some(claims)
    }

    fn check(&self, token: &str) -> Option<Arc<Claims>> {
        let token_data = jsonwebtoken::decode::<Claims>(token, &self.key, &self.validation).ok()?;
        if token_data.header.typ.as_deref() != Some(TYPE) {
            return None;
        }
        let claims = Arc::new(token_data.claims);
        let mut verified = self.verified();
        if verified.len() >= REMEMBERED {
            verified.clear();
        }
        verified.insert(token.to_owned(), claims.clone());
        Some(claims)
    }

    fn verified(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Claims>>> {
        self.verified.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
