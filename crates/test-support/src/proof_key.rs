//! A key that tokens can be bound to, and the proofs that it signs (RFC 9449).

use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

/// The Ed25519 key of an app.
pub struct ProofKey {
    signing: EncodingKey,
    jwk: Value,
}

impl ProofKey {
    /// A new key.
    pub fn generate() -> Self {
        let pair = Ed25519KeyPair::generate().expect("a key can be made");
        let pkcs8 = pair.to_pkcs8v1().expect("a key can be written");
        let x = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
        Self {
            signing: EncodingKey::from_ed_der(pkcs8.as_ref()),
            jwk: json!({"crv": "Ed25519", "kty": "OKP", "x": x}),
        }
    }

    /// The claim that binds a token to this key.
    pub fn cnf(&self) -> Value {
        // The members are in the order that RFC 7638 wants.
        json!({"jkt": hash(&self.jwk.to_string())})
    }

    /// A proof for one request with this token; `jti` tells it from every other.
    pub fn proof(&self, jti: &str, method: &str, url: &str, token: &str) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
        let claims = json!({"jti": jti, "htm": method, "htu": url, "iat": now, "ath": hash(token)});
        let jwk = serde_json::from_value(self.jwk.clone()).expect("a public key");
        let header = Header { typ: Some("dpop+jwt".into()), jwk: Some(jwk), ..Header::new(Algorithm::EdDSA) };
        encode(&header, &claims, &self.signing).expect("claims can be signed")
    }
}

fn hash(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, text.as_bytes()))
}
