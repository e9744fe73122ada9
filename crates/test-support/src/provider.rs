//! An identity provider's key, and what it signs.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

/// A provider with one Ed25519 key.
pub struct Provider {
    issuer: String,
    signing: EncodingKey,
    public: String,
}

impl Provider {
    /// A provider with a new key.
    pub fn new(issuer: impl Into<String>) -> Self {
        let pair = Ed25519KeyPair::generate().expect("a key can be made");
        let pkcs8 = pair.to_pkcs8v1().expect("a key can be written");
        Self {
            issuer: issuer.into(),
            signing: EncodingKey::from_ed_der(pkcs8.as_ref()),
            public: URL_SAFE_NO_PAD.encode(pair.public_key().as_ref()),
        }
    }

    /// What `/.well-known/openid-configuration` answers.
    pub fn discovery(&self) -> Value {
        let at = |path: &str| format!("{}{path}", self.issuer);
        json!({
            "issuer": self.issuer, "jwks_uri": at("/jwks"), "token_endpoint": at("/token"),
            "authorization_endpoint": at("/authorize"), "end_session_endpoint": at("/end-session"),
        })
    }

    /// What `/jwks` answers.
    pub fn jwks(&self) -> Value {
        json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": "k1", "x": self.public}]})
    }

    /// An access token (RFC 9068) for `subject`, good for every service, with `changes` to its claims.
    pub fn token(&self, subject: &str, changes: &Value) -> String {
        let now = now();
        let claims = json!({
            "iss": self.issuer, "sub": subject, "iat": now, "nbf": now, "exp": now + 3600, "jti": "j1",
            "aud": ["web-bff", "mobile-bff", "partner-bff"], "client_id": "test",
            "scope": "openid profile profile:read orders:read orders:write catalog:read",
        });
        self.sign("at+jwt", claims, changes)
    }

    /// An ID token (OpenID Connect Core 1.0) for `subject` who signs in at web-bff, with `changes` to its claims.
    pub fn id_token(&self, subject: &str, changes: &Value) -> String {
        let now = now();
        let claims = json!({
            "iss": self.issuer, "sub": subject, "aud": "web-bff", "iat": now, "exp": now + 300,
            "name": "Ada Lovelace", "sid": format!("s-of-{subject}"),
        });
        self.sign("JWT", claims, changes)
    }

    /// A logout token (OpenID Connect Back-Channel Logout 1.0) for web-bff about `subject`, with `changes` to its
    /// claims.
    pub fn logout_token(&self, subject: &str, changes: &Value) -> String {
        let now = now();
        let claims = json!({
            "iss": self.issuer, "sub": subject, "aud": "web-bff", "iat": now, "exp": now + 120,
            "jti": format!("logout-of-{subject}"),
            "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
        });
        self.sign("logout+jwt", claims, changes)
    }

    fn sign(&self, typ: &str, mut claims: Value, changes: &Value) -> String {
        for (claim, value) in changes.as_object().expect("an object of claims") {
            claims[claim] = value.clone();
        }
        let header =
            Header { typ: Some(typ.into()), kid: Some("k1".into()), ..Header::new(Algorithm::EdDSA) };
        encode(&header, &claims, &self.signing).expect("claims can be signed")
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs()
}
