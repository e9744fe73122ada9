//! `POST /token` (RFC 6749 §3.2).

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use http::header::CACHE_CONTROL;
use serde_json::Value;

use super::clients::{self, Client, USER_SCOPES, covers};
use super::codes::Unredeemed;
use super::exchange;
use super::issue::Said;
use super::oauth_error::Refused;
use super::parameters::Parameters;
use super::{DEMO_USER, Provider, TOKEN_EXCHANGE};

pub(super) async fn token(
    State(provider): State<Arc<Provider>>,
    headers: HeaderMap,
    form: Bytes,
) -> Response {
    match grant(&provider, &headers, &form) {
        Ok(answer) => ([(CACHE_CONTROL, "no-store")], axum::Json(answer)).into_response(),
        Err(refused) => refused.into_response(),
    }
}

fn grant(provider: &Provider, headers: &HeaderMap, form: &[u8]) -> Result<Value, Refused> {
    let asked = Parameters::read(None, form).map_err(|_| Refused::malformed("a parameter came twice"))?;
    let grant_type = asked.get("grant_type").ok_or(Refused::malformed("not a form with a grant_type"))?;
    let client = || Client::authenticate(&asked, headers);
    match grant_type {
        "authorization_code" => by_code(provider, &client()?, &asked),
        "refresh_token" => by_refresh_token(provider, &client()?, &asked),
        "client_credentials" => Ok(by_client_credentials(provider, client()?)),
        TOKEN_EXCHANGE => exchange::exchanged(provider, client()?, &asked),
        DEMO_USER => for_demo_user(provider, &asked),
        _ => Err(Refused::new("unsupported_grant_type", "discovery lists the grants that there are")),
    }
}

const INVALID_CODE: Refused =
    Refused::invalid_grant("the code is not valid, no longer, or not with these parameters");

fn by_code(provider: &Provider, client: &Client, asked: &Parameters) -> Result<Value, Refused> {
    let code = required(asked, "code", "code is missing")?;
    let redirect_uri = required(asked, "redirect_uri", "redirect_uri is missing")?;
    let verifier = required(asked, "code_verifier", "code_verifier is missing")?;
    let code = match provider.codes.redeem(code, &client.0, redirect_uri, verifier) {
        Ok(code) => code,
        Err(Unredeemed::Invalid) => return Err(INVALID_CODE),
        Err(Unredeemed::Replayed(grant_id)) => {
            provider.families.revoke(&grant_id);
            return Err(Refused::invalid_grant("the code was used before: what it gave is revoked"));
        }
    };
    let refresh_token = provider.families.begin(code.sign_in.clone()).ok_or(INVALID_CODE)?;
    Ok(provider.signed_in(&code.sign_in, Some(&code.nonce), refresh_token))
}

fn by_refresh_token(provider: &Provider, client: &Client, asked: &Parameters) -> Result<Value, Refused> {
    let token = required(asked, "refresh_token", "refresh_token is missing")?;
    let wanted = asked.get("scope");
    // Looked at before the token is used up, so that a wrong scope costs nothing.
    if let (Some(wanted), Some(sign_in)) = (wanted, provider.families.of(token))
        && !covers(&sign_in.scope, wanted)
    {
        return Err(Refused::new("invalid_scope", "more than was granted"));
    }
    let rotated = provider.families.rotate(token, &client.0);
    let (mut sign_in, next) =
        rotated.ok_or(Refused::invalid_grant("the refresh token is not valid, or was used before"))?;
    if let Some(wanted) = wanted {
        wanted.clone_into(&mut sign_in.scope);
    }
    Ok(provider.signed_in(&sign_in, None, next))
}

fn by_client_credentials(provider: &Provider, client: Client) -> Value {
    let (subject, scope) = client.own();
    provider.issued(Said::everywhere(subject, client.0, scope), None)
}

/// A token for a user, for the asking: what scripts use instead of a sign-in.
fn for_demo_user(provider: &Provider, asked: &Parameters) -> Result<Value, Refused> {
    let client = required(asked, "client_id", "client_id is missing")?;
    let user = required(asked, "user_id", "user_id is missing")?;
    let user = clients::user(user).filter(|_| clients::is_demo_cli(client));
    let user = user.ok_or(Refused::invalid_grant("no such user, or not for this client"))?;
    Ok(provider.issued(Said::everywhere(user.to_string(), client.to_owned(), USER_SCOPES), None))
}

pub(super) fn required<'a>(
    asked: &'a Parameters,
    name: &str,
    missing: &'static str,
) -> Result<&'a str, Refused> {
    asked.get(name).ok_or(Refused::malformed(missing))
}
