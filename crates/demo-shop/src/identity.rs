//! The demo identity provider: discovery, keys and tokens. For development only: its secrets are public.

mod clients;
mod grant;

use std::sync::Arc;

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use http::HeaderMap;
use http::header::HOST;
use serde_json::{Value, json};

use crate::tokens::{SigningKey, Verifier};

/// The provider: its key, and the name it has in tokens.
pub(crate) struct Provider {
    key: SigningKey,
    issuer: String,
}

impl Provider {
    pub(crate) fn new(seed: u64, issuer: String) -> Self {
        Self { key: SigningKey::derived_from(seed), issuer }
    }

    /// What checks the provider's tokens, without asking it.
    pub(crate) fn verifier(&self) -> Verifier {
        Verifier::new(&self.key, &self.issuer)
    }
}

/// What the provider answers.
pub(crate) fn routes() -> Router<Arc<Provider>> {
    Router::new()
        .route("/.well-known/openid-configuration", get(discovery))
        .route("/jwks", get(jwks))
        .route("/token", post(grant::token))
}

/// The endpoints are where the asker found the provider, which need not be where the issuer's name points.
async fn discovery(State(provider): State<Arc<Provider>>, headers: HeaderMap) -> Json<Value> {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let base = host.map_or_else(|| provider.issuer.clone(), |host| format!("http://{host}"));
    Json(json!({
        "issuer": provider.issuer,
        "jwks_uri": format!("{base}/jwks"),
        "token_endpoint": format!("{base}/token"),
        "grant_types_supported": ["client_credentials", grant::DEMO_USER],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "response_types_supported": [],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["EdDSA"],
        "scopes_supported": ["openid", "profile"],
    }))
}

async fn jwks(State(provider): State<Arc<Provider>>) -> Json<Value> {
    let SigningKey { id, x, .. } = &provider.key;
    Json(json!({
        "keys": [{ "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": id, "x": x }],
    }))
}
