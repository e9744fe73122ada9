use demo_shop::Service::Identity;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::{Value, json};

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

const USER_SCOPES: &str = "openid profile profile:read orders:read orders:write catalog:read";

/// What a token says, once its signature is checked with the published key.
async fn verified(shop: &Shop, token: &str) -> Value {
    let keys: JwkSet = serde_json::from_value(shop.get(Identity, "/jwks").send().await.json()).unwrap();
    let header = decode_header(token).unwrap();
    assert_eq!((header.alg, header.typ.as_deref()), (Algorithm::EdDSA, Some("at+jwt")));
    let key = DecodingKey::from_jwk(keys.find(&header.kid.unwrap()).unwrap()).unwrap();
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_required_spec_claims(&["exp", "nbf", "iss", "sub", "aud"]);
    validation.set_issuer(&["http://127.0.0.1:3007"]);
    validation.set_audience(&["orders"]);
    decode::<Value>(token, &key, &validation).unwrap().claims
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
        let claims = verified(&shop, &token).await;
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
    let is = |answer: &Answer, status: u16, error: &str| {
        assert_eq!((answer.status.as_u16(), &answer.json()["error"]), (status, &json!(error)), "{answer:?}");
    };
    for (form, status, error) in [
        ("grant_type=client_credentials", 401, "invalid_client"),
        ("grant_type=client_credentials&client_id=acme&client_secret=guess", 401, "invalid_client"),
        (
            "grant_type=client_credentials&client_id=umbrella&client_secret=demo-secret-of-umbrella",
            401,
            "invalid_client",
        ),
        ("grant_type=password", 400, "unsupported_grant_type"),
        ("user_id=u_42", 400, "invalid_request"),
        ("grant_type=urn:triptych:demo:user&client_id=demo-cli", 400, "invalid_request"),
        ("grant_type=urn:triptych:demo:user&client_id=acme&user_id=u_42", 400, "invalid_grant"),
        ("grant_type=urn:triptych:demo:user&client_id=demo-cli&user_id=u_1001", 400, "invalid_grant"),
        ("grant_type=urn:triptych:demo:user&client_id=demo-cli&user_id=acct_acme", 400, "invalid_grant"),
    ] {
        is(&ask(form).await, status, error);
    }
    let refused = ask("grant_type=client_credentials&client_id=acme&client_secret=guess").await;
    assert!(refused.headers["www-authenticate"].to_str().unwrap().starts_with("Basic"));
    is(&shop.post(Identity, "/token").json(&json!({})).send().await, 400, "invalid_request");
}
