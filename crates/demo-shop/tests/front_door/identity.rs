mod exchange;
mod sign_in;
mod sign_out;

use demo_shop::Service::Identity;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::client::{Answer, Shop};

const AUDIENCES: [&str; 9] = [
    "web-bff",
    "mobile-bff",
    "partner-bff",
    "users",
    "orders",
    "catalog",
    "notifications",
    "billing",
    "usage",
];

const USER_SCOPES: &str = "openid profile orders:read orders:write catalog:read profile:read";

/// What an access token says to `audience`, once its signature is checked with the published key.
async fn verified(shop: &Shop, token: &str, audience: &str) -> Value {
    verified_as("at+jwt", shop, token, audience).await
}

/// The same, of a token of another type.
async fn verified_as(r#type: &str, shop: &Shop, token: &str, audience: &str) -> Value {
    let keys: JwkSet = serde_json::from_value(shop.get(Identity, "/jwks").send().await.json()).unwrap();
    let header = decode_header(token).unwrap();
    assert_eq!((header.alg, header.typ.as_deref()), (Algorithm::EdDSA, Some(r#type)));
    let key = DecodingKey::from_jwk(keys.find(&header.kid.unwrap()).unwrap()).unwrap();
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_required_spec_claims(&["exp", "iss", "sub", "aud"]);
    validation.set_issuer(&["http://127.0.0.1:3007"]);
    validation.set_audience(&[audience]);
    decode::<Value>(token, &key, &validation).unwrap().claims
}

async fn ask(shop: &Shop, path: &str, form: &[(&str, &str)]) -> Answer {
    let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    shop.post(Identity, path).form(&form).send().await
}

/// Asks the token endpoint as web-bff.
async fn token(shop: &Shop, form: &[(&str, &str)]) -> Answer {
    let client = [("client_id", "web-bff"), ("client_secret", "demo-secret-of-web-bff")];
    ask(shop, "/token", &[&client[..], form].concat()).await
}

#[track_caller]
fn is_error(answer: &Answer, status: u16, error: &str) {
    assert_eq!((answer.status.as_u16(), &answer.json()["error"]), (status, &json!(error)), "{answer:?}");
}

#[tokio::test]
async fn tokens_verify_with_the_published_key() {
    let shop = Shop::open().await;
    for (token, subject, client, scope) in [
        (shop.user("u_42").await, "u_42", "demo-cli", USER_SCOPES),
        (shop.client("mobile-bff").await, "mobile-bff", "mobile-bff", "service"),
        (
            shop.client("globex").await,
            "acct_globex",
            "globex",
            "orders:read orders:write catalog:read usage:read",
        ),
    ] {
        let claims = verified(&shop, &token, "orders").await;
        assert_eq!(claims["sub"], subject);
        assert_eq!(claims["client_id"], client);
        assert_eq!(claims["scope"], scope);
        assert_eq!(claims["aud"], json!(AUDIENCES));
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 3600);
        assert!(claims["jti"].is_string());
    }
}

#[tokio::test]
async fn discovery_names_the_issuer_and_leads_to_where_it_was_found() {
    let shop = Shop::open().await;
    let found = shop.get(Identity, "/.well-known/openid-configuration").send().await.json();
    let here = shop.running.url(Identity).unwrap();
    assert_eq!(found["issuer"], "http://127.0.0.1:3007");
    assert_eq!(found["jwks_uri"], format!("{here}/jwks"));
    assert_eq!(found["token_endpoint"], format!("{here}/token"));
    assert_eq!(found["revocation_endpoint"], format!("{here}/revoke"));
    // Browsers know the provider by its name.
    assert_eq!(found["authorization_endpoint"], "http://127.0.0.1:3007/authorize");
    assert_eq!(found["end_session_endpoint"], "http://127.0.0.1:3007/end-session");
    for promise in [
        "authorization_response_iss_parameter_supported",
        "backchannel_logout_supported",
        "backchannel_logout_session_supported",
    ] {
        assert_eq!(found[promise], true, "{promise}");
    }
}

#[tokio::test]
async fn a_client_may_authenticate_in_its_header() {
    let shop = Shop::open().await;
    // web-bff:demo-secret-of-web-bff, the hyphen also form-encoded as RFC 6749 asks
    for credential in
        ["d2ViLWJmZjpkZW1vLXNlY3JldC1vZi13ZWItYmZm", "d2ViJTJEYmZmOmRlbW8tc2VjcmV0LW9mLXdlYiUyRGJmZg=="]
    {
        let call = shop.post(Identity, "/token").form("grant_type=client_credentials");
        let answer = call.header("authorization", &format!("Basic {credential}")).send().await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.headers["cache-control"], "no-store");
        assert_eq!(
            (&answer.json()["token_type"], &answer.json()["expires_in"]),
            (&json!("Bearer"), &json!(3600))
        );
    }
}

#[tokio::test]
async fn what_is_wrong_is_refused_as_oauth_does() {
    let shop = Shop::open().await;
    let ask = async |form: &str| shop.post(Identity, "/token").form(form).send().await;
    for (form, status, error) in [
        ("grant_type=client_credentials", 401, "invalid_client"),
        ("grant_type=client_credentials&client_id=acme&client_secret=guess", 401, "invalid_client"),
        (
            "grant_type=client_credentials&client_id=umbrella&client_secret=demo-secret-of-umbrella",
            401,
            "invalid_client",
        ),
        ("grant_type=password", 400, "unsupported_grant_type"),
        ("grant_type=password&grant_type=client_credentials", 400, "invalid_request"),
        ("user_id=u_42", 400, "invalid_request"),
        ("grant_type=urn:triptych:demo:user&client_id=demo-cli", 400, "invalid_request"),
        ("grant_type=urn:triptych:demo:user&client_id=acme&user_id=u_42", 400, "invalid_grant"),
        ("grant_type=urn:triptych:demo:user&client_id=demo-cli&user_id=u_1001", 400, "invalid_grant"),
        ("grant_type=urn:triptych:demo:user&client_id=demo-cli&user_id=acct_acme", 400, "invalid_grant"),
    ] {
        is_error(&ask(form).await, status, error);
    }
    let refused = ask("grant_type=client_credentials&client_id=acme&client_secret=guess").await;
    assert!(refused.headers["www-authenticate"].to_str().unwrap().starts_with("Basic"));
    is_error(&shop.post(Identity, "/token").json(&json!({})).send().await, 400, "invalid_request");
}
