//! `POST /revoke` (RFC 7009).

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};

use super::Provider;
use super::clients::Client;
use super::oauth_error::Refused;
use super::parameters::Parameters;
use super::token::required;

pub(super) async fn revoke(
    State(provider): State<Arc<Provider>>,
    headers: HeaderMap,
    form: Bytes,
) -> Response {
    match revoked(&provider, &headers, &form) {
        Ok(()) => StatusCode::OK.into_response(),
        Err(refused) => refused.into_response(),
    }
}

/// A refresh token ends its sign-in. An access token is exchanged no more; a service that holds it finds out when it
/// expires. A token that nobody knows is as good as revoked (§2.2).
fn revoked(provider: &Provider, headers: &HeaderMap, form: &[u8]) -> Result<(), Refused> {
    let asked = Parameters::read(None, form).map_err(|_| Refused::malformed("a parameter came twice"))?;
    let client = Client::authenticate(&asked, headers)?;
    let token = required(&asked, "token", "token is missing")?;
    let (owner, id) = match provider.families.of(token) {
        Some(sign_in) => (sign_in.client, sign_in.grant_id),
        None => match provider.verifier.verify(token) {
            Some(claims) => (claims.client_id.clone(), claims.jti.clone()),
            None => return Ok(()),
        },
    };
    if owner != client.0 {
        return Err(Refused::new("unauthorized_client", "the token is another client's"));
    }
    provider.families.revoke(&id);
    Ok(())
}
