//! `POST /token` (RFC 6749 §3.2).

use std::sync::Arc;

use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use http::header::{AUTHORIZATION, CACHE_CONTROL, WWW_AUTHENTICATE};
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::Provider;
use super::clients::{self, Grant};
use crate::service::Service;
use crate::tokens::Claims;

/// The grant that scripts use instead of a sign-in.
pub(super) const DEMO_USER: &str = "urn:triptych:demo:user";
const LIFETIME_SECONDS: i64 = 3600;
const BFFS: [&str; 3] = ["web-bff", "mobile-bff", "partner-bff"];

#[derive(Deserialize)]
pub(super) struct Asked {
    grant_type: String,
    client_id: Option<String>,
    client_secret: Option<String>,
    user_id: Option<String>,
}

/// An error of RFC 6749 §5.2.
struct Refused(StatusCode, &'static str, &'static str);

const INVALID_CLIENT: Refused =
    Refused(StatusCode::UNAUTHORIZED, "invalid_client", "no such client, or another secret");

pub(super) async fn token(
    State(provider): State<Arc<Provider>>,
    headers: HeaderMap,
    form: Result<Form<Asked>, FormRejection>,
) -> Response {
    let granted = form
        .map_err(|_| malformed("not a form with a grant_type"))
        .and_then(|Form(asked)| grant(&asked, &headers));
    match granted {
        Ok(grant) => issued(&provider, grant),
        Err(refused) => refused.into_response(),
    }
}

fn grant(asked: &Asked, headers: &HeaderMap) -> Result<Grant, Refused> {
    match asked.grant_type.as_str() {
        "client_credentials" => {
            let (client, secret) = credentials(asked, headers)?;
            clients::by_secret(&client, &secret).ok_or(INVALID_CLIENT)
        }
        DEMO_USER => {
            let client = asked.client_id.as_deref().ok_or(malformed("client_id is missing"))?;
            let user = asked.user_id.as_deref().ok_or(malformed("user_id is missing"))?;
            let refused =
                Refused(StatusCode::BAD_REQUEST, "invalid_grant", "no such user, or not for this client");
            clients::demo_user(client, user).ok_or(refused)
        }
        _ => Err(Refused(
            StatusCode::BAD_REQUEST,
            "unsupported_grant_type",
            "use client_credentials or urn:triptych:demo:user",
        )),
    }
}

/// `client_secret_basic` or `client_secret_post`, not both.
fn credentials(asked: &Asked, headers: &HeaderMap) -> Result<(String, String), Refused> {
    match (headers.get(AUTHORIZATION), &asked.client_secret) {
        (Some(_), Some(_)) => Err(malformed("one way to authenticate at a time")),
        (Some(header), None) => header.to_str().ok().and_then(basic).ok_or(INVALID_CLIENT),
        (None, Some(secret)) => Ok((asked.client_id.clone().unwrap_or_default(), secret.clone())),
        (None, None) => Err(INVALID_CLIENT),
    }
}

/// Client and secret, each form-encoded before they were joined (RFC 6749 §2.3.1).
fn basic(header: &str) -> Option<(String, String)> {
    let (scheme, encoded) = header.split_once(' ')?;
    let decoded = BASE64_STANDARD.decode(encoded.trim()).ok()?;
    let joined = String::from_utf8(decoded).ok()?;
    let (client, secret) = joined.split_once(':')?;
    let decode = |text: &str| {
        url::form_urlencoded::parse(format!("v={text}").as_bytes()).next().map(|(_, v)| v.into_owned())
    };
    scheme.eq_ignore_ascii_case("basic").then(|| Some((decode(client)?, decode(secret)?))).flatten()
}

fn issued(provider: &Provider, grant: Grant) -> Response {
    let now = Timestamp::now().as_second();
    let domain_services =
        Service::ALL.into_iter().filter(|service| *service != Service::Identity).map(Service::name);
    let claims = Claims {
        iss: provider.issuer.clone(),
        sub: grant.subject,
        aud: BFFS.into_iter().chain(domain_services).map(str::to_owned).collect(),
        exp: now + LIFETIME_SECONDS,
        iat: now,
        nbf: now,
        jti: token_id(),
        client_id: grant.client,
        scope: grant.scope.to_owned(),
    };
    let body = json!({
        "access_token": provider.key.sign(&claims),
        "token_type": "Bearer",
        "expires_in": LIFETIME_SECONDS,
        "scope": claims.scope,
    });
    ([(CACHE_CONTROL, "no-store")], axum::Json(body)).into_response()
}

fn token_id() -> String {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).expect("the system has randomness");
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

fn malformed(description: &'static str) -> Refused {
    Refused(StatusCode::BAD_REQUEST, "invalid_request", description)
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let Self(status, error, description) = self;
        let body = axum::Json(json!({ "error": error, "error_description": description }));
        let mut response = (status, [(CACHE_CONTROL, "no-store")], body).into_response();
        if status == StatusCode::UNAUTHORIZED {
            let challenge = http::HeaderValue::from_static("Basic realm=\"demo-shop\"");
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        response
    }
}
