//! Proofs of possession (RFC 9449): a token that is bound to a key is good for nobody but the holder of that key.
//!
//! A proof is made for one request and taken once: its `jti` is remembered in the store that all replicas share, for as
//! long as the proof could come again. Without that store no proof is taken. There are no nonces of ours (section 8):
//! they would shorten the time for which a proof that was made in advance is good, and cost each client a second
//! request; that time is bounded by `dpop_leeway` already.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderName;
use http::request::Parts;
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::jwk::{Jwk, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use request_context::PublicUrl;
use serde::Deserialize;
use serde_json::{Map, Value};
use store::{Entry, If, SharedStore, Store};
use url::{Position, Url};

use crate::jwt::numeric_date;
use crate::key_set::may_verify;
use crate::rejection::{ProofFault, Rejection};
use crate::verified::Digest;

const HEADER: HeaderName = HeaderName::from_static("dpop");
/// The longest proof that is looked at, in bytes: one with an RSA key of 8192 bits fits.
const MAX_PROOF: usize = 4 << 10;
const MAX_JTI: usize = 256;

/// What proofs may be signed with: asymmetric, and in common use. The challenges say the same.
const ALGORITHMS: [Algorithm; 5] =
    [Algorithm::ES256, Algorithm::ES384, Algorithm::EdDSA, Algorithm::PS256, Algorithm::RS256];

/// The members of a JWK that no public key has (RFC 7518, section 6; RFC 8037).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// Checks proofs for the service at one public URL.
pub(crate) struct Proofs {
    public_url: PublicUrl,
    leeway: Duration,
    store: SharedStore,
}

/// The header of a proof (section 4.2), as far as it is looked at.
#[derive(Deserialize)]
struct Header {
    typ: String,
    alg: String,
    jwk: Map<String, Value>,
    crit: Option<Value>,
}

#[derive(Deserialize)]
struct Claims {
    jti: String,
    htm: String,
    htu: String,
    #[serde(deserialize_with = "numeric_date")]
    iat: Timestamp,
    ath: String,
}

impl Proofs {
    pub(crate) fn new(public_url: &PublicUrl, leeway: Duration, store: &SharedStore) -> Self {
        Self { public_url: public_url.clone(), leeway, store: store.clone() }
    }

    /// Whether the request with this head proves that whoever sent it holds the key that the token is bound to.
    /// Steps as in section 4.3; the costly ones come last.
    pub(crate) async fn check(
        &self,
        head: &Parts,
        token: &Digest,
        thumbprint: &str,
    ) -> Result<(), Rejection> {
        let proof = the_only(head)?;
        let claims = verified(proof, thumbprint)?;
        if claims.htm != head.method.as_str() {
            return Err(ProofFault::OtherMethod.into());
        }
        if !self.is_target(&claims.htu, head.uri.path()) {
            return Err(ProofFault::OtherUrl.into());
        }
        if claims.ath != URL_SAFE_NO_PAD.encode(token) {
            return Err(ProofFault::OtherToken.into());
        }
        let leeway = SignedDuration::try_from(self.leeway).map_err(|_| ProofFault::OutOfTime)?;
        if Timestamp::now().duration_since(claims.iat).abs() > leeway {
            return Err(ProofFault::OutOfTime.into());
        }
        self.use_up(&claims.jti, thumbprint).await
    }

    /// Whether `htu` is the URL of this path, as clients know it.
    fn is_target(&self, htu: &str, path: &str) -> bool {
        let target = normalized(&self.public_url.join(path));
        target.is_some() && normalized(htu) == target
    }

    /// A proof that comes again is refused. Ids of different keys do not meet: nobody can use up another's.
    async fn use_up(&self, jti: &str, thumbprint: &str) -> Result<(), Rejection> {
        if jti.is_empty() || jti.len() > MAX_JTI {
            return Err(ProofFault::BadClaim.into());
        }
        let mut hash = digest::Context::new(&digest::SHA256);
        hash.update(thumbprint.as_bytes());
        hash.update(b"\n");
        hash.update(jti.as_bytes());
        let key = format!("dpop:{}", URL_SAFE_NO_PAD.encode(hash.finish()));
        // From the earliest moment at which it is taken to the last.
        let entry = Entry::new("", self.leeway * 2 + Duration::from_secs(1));
        match self.store.put(&key, entry, If::Absent).await {
            Ok(Some(_)) => Ok(()),
            Ok(None) => Err(ProofFault::Replayed.into()),
            Err(error) => Err(Rejection::Unavailable(Arc::new(error))),
        }
    }
}

/// The one `DPoP` header.
fn the_only(head: &Parts) -> Result<&str, ProofFault> {
    let mut values = head.headers.get_all(HEADER).iter();
    let value = values.next().ok_or(ProofFault::Missing)?;
    if values.next().is_some() {
        return Err(ProofFault::Doubled);
    }
    if value.len() > MAX_PROOF {
        return Err(ProofFault::Oversized);
    }
    value.to_str().map_err(|_| ProofFault::Malformed)
}

/// What a proof says that is signed with the key of this thumbprint.
fn verified(proof: &str, thumbprint: &str) -> Result<Claims, ProofFault> {
    let header = proof.split('.').next().unwrap_or_default();
    let header = URL_SAFE_NO_PAD.decode(header).map_err(|_| ProofFault::Malformed)?;
    let header: Header = serde_json::from_slice(&header).map_err(|_| ProofFault::Malformed)?;
    if !header.typ.eq_ignore_ascii_case("dpop+jwt") {
        return Err(ProofFault::WrongType);
    }
    if header.crit.is_some() {
        return Err(ProofFault::ForbiddenHeader);
    }
    let algorithm = header.alg.parse().ok().filter(|algorithm| ALGORITHMS.contains(algorithm));
    let algorithm = algorithm.ok_or(ProofFault::WrongAlgorithm)?;
    let key = key(header.jwk, algorithm, thumbprint)?;
    let token = decode::<Claims>(proof, &key, &rules(algorithm)).map_err(|error| fault(error.kind()))?;
    Ok(token.claims)
}

/// The public key in a proof's header, if it is the one with this thumbprint (RFC 7638).
fn key(jwk: Map<String, Value>, algorithm: Algorithm, thumbprint: &str) -> Result<DecodingKey, ProofFault> {
    if PRIVATE.iter().any(|member| jwk.contains_key(*member)) {
        return Err(ProofFault::BadKey);
    }
    let jwk: Jwk = serde_json::from_value(Value::Object(jwk)).map_err(|_| ProofFault::BadKey)?;
    if !may_verify(&jwk, algorithm) {
        return Err(ProofFault::BadKey);
    }
    // Decodes its members: after this, what the thumbprint is made of is base64 and nothing else.
    let key = DecodingKey::from_jwk(&jwk).map_err(|_| ProofFault::BadKey)?;
    let found = jwk.thumbprint(ThumbprintHash::SHA256).map_err(|_| ProofFault::BadKey)?;
    (found == thumbprint).then_some(key).ok_or(ProofFault::OtherKey)
}

/// A proof needs no `exp`, and is for the URL in it instead of an audience.
fn rules(algorithm: Algorithm) -> Validation {
    let mut rules = Validation::new(algorithm);
    rules.required_spec_claims.clear();
    rules.validate_aud = false;
    rules.validate_nbf = true;
    rules
}

fn fault(error: &ErrorKind) -> ProofFault {
    match error {
        ErrorKind::InvalidSignature => ProofFault::WrongSignature,
        ErrorKind::Json(_) | ErrorKind::InvalidClaimFormat(_) => ProofFault::BadClaim,
        ErrorKind::ExpiredSignature | ErrorKind::ImmatureSignature => ProofFault::OutOfTime,
        _ => ProofFault::Malformed,
    }
}

/// A URL without query and fragment, in the one form that all its spellings have (RFC 3986, sections 6.2.2 and 6.2.3).
fn normalized(url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    let mut normalized = url[..Position::BeforePath].to_owned();
    let mut rest = url.path();
    while let Some(at) = rest.find('%') {
        normalized.push_str(&rest[..at]);
        let byte = rest.get(at + 1..at + 3).and_then(|digits| u8::from_str_radix(digits, 16).ok())?;
        let plain = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if plain {
            normalized.push(byte.into());
        } else {
            let _ = write!(normalized, "%{byte:02X}");
        }
        rest = &rest[at + 3..];
    }
    normalized.push_str(rest);
    Some(normalized)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_url_are_one() {
        let url = normalized("https://shop.example/mobile/orders/a~b").unwrap();
        for same in [
            "HTTPS://Shop.Example/mobile/orders/a~b",
            "https://shop.example:443/mobile/orders/a~b",
            "https://shop.example/mobile/orders/a~b?x=1#y",
            "https://shop.example/mobile/./x/../orders/a~b",
            "https://shop.example/mobile/orders/%61%7eb",
        ] {
            assert_eq!(normalized(same).as_ref(), Some(&url), "{same}");
        }
        for other in [
            "http://shop.example/mobile/orders/a~b",
            "https://shop.example:8443/mobile/orders/a~b",
            "https://shop.example.evil/mobile/orders/a~b",
            "https://ada@shop.example/mobile/orders/a~b",
            "https://shop.example/orders/a~b",
            "https://shop.example/mobile/orders/A~b",
            "https://shop.example/mobile/orders/a~b/",
            "https://shop.example/mobile/orders%2Fa~b",
        ] {
            assert_ne!(normalized(other).as_ref(), Some(&url), "{other}");
        }
        assert_eq!(normalized("https://shop.example/%2f"), normalized("https://shop.example/%2F"));
        assert_eq!(normalized("/mobile/orders/a~b"), None);
        assert_eq!(normalized("https://shop.example/%zz"), None);
    }

    /// The keys and thumbprints that RFC 7638 (section 3.1), RFC 8037 (appendix A.3) and RFC 9449 (section 6.1) print.
    #[test]
    fn thumbprints_are_those_of_the_rfcs() {
        let rsa = concat!(
            "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjB",
            "ZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8",
            "KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_",
            "xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
        );
        let (x, y) =
            ("l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs", "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA");
        let ed25519 = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        for (jwk, algorithm, thumbprint) in [
            (
                serde_json::json!({"kty": "RSA", "n": rsa, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"}),
                Algorithm::RS256,
                "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
            ),
            (
                serde_json::json!({"kty": "OKP", "crv": "Ed25519", "x": ed25519}),
                Algorithm::EdDSA,
                "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
            ),
            (
                serde_json::json!({"kty": "EC", "crv": "P-256", "x": x, "y": y}),
                Algorithm::ES256,
                "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I",
            ),
        ] {
            let jwk = jwk.as_object().unwrap().clone();
            assert!(key(jwk.clone(), algorithm, thumbprint).is_ok(), "{jwk:?}");
            assert_eq!(key(jwk, algorithm, "other").unwrap_err(), ProofFault::OtherKey);
        }
    }
}
