//! What the provider tells about itself (OpenID Connect Discovery 1.0).

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use http::HeaderMap;
use http::header::HOST;
use serde_json::{Value, json};

use super::clients::USER_SCOPES;
use super::{DEMO_USER, Provider, TOKEN_EXCHANGE};
use crate::tokens::SigningKey;

/// Where browsers go is under the issuer's name, which they can reach. Where programs ask is where the asker found
/// the provider, which need not be where the issuer's name points.
pub(super) async fn configuration(State(provider): State<Arc<Provider>>, headers: HeaderMap) -> Json<Value> {
    let front = provider.issuer.trim_end_matches('/');
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let back = host.map_or_else(|| front.to_owned(), |host| format!("http://{host}"));
    Json(json!({
        "issuer": provider.issuer,
        "authorization_endpoint": format!("{front}/authorize"),
        "end_session_endpoint": format!("{front}/end-session"),
        "jwks_uri": format!("{back}/jwks"),
        "token_endpoint": format!("{back}/token"),
        "revocation_endpoint": format!("{back}/revoke"),
        "grant_types_supported":
            ["authorization_code", "refresh_token", "client_credentials", TOKEN_EXCHANGE, DEMO_USER],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "prompt_values_supported": ["none", "login", "select_account"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "revocation_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["EdDSA"],
        "scopes_supported": USER_SCOPES.split(' ').collect::<Vec<_>>(),
        "claims_supported": ["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "sid", "name"],
        "authorization_response_iss_parameter_supported": true,
        "backchannel_logout_supported": true,
        "backchannel_logout_session_supported": true,
    }))
}

/// RFC 7517.
pub(super) async fn keys(State(provider): State<Arc<Provider>>) -> Json<Value> {
    let SigningKey { id, x, .. } = &provider.key;
    Json(json!({
        "keys": [{ "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": id, "x": x }],
    }))
}
