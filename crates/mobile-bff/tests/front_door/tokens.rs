//! Which tokens are taken, and for which routes.

use serde_json::json;
use test_support::{ProofKey, Provider, Reply};

use crate::Bff;

/// Where clients know the service, unless a setting says otherwise.
const PUBLIC_URL: &str = "http://127.0.0.1:8080/mobile";

async fn bff(changes: &[(&str, &str)]) -> Bff {
    let bff = Bff::with(changes).await;
    bff.backend.services.on("GET /products", Reply::Json(json!({"items": [], "nextCursor": null})));
    bff
}

#[tokio::test]
async fn each_route_needs_its_scopes() {
    let bff = bff(&[]).await;
    for (method, path, scope, needed) in [
        ("GET", "/home", "profile:read", "orders:read"),
        ("GET", "/home", "orders:read", "profile:read"),
        ("GET", "/orders", "orders:write catalog:read", "orders:read"),
        ("GET", "/orders/o_1", "orders:write", "orders:read"),
        ("POST", "/orders", "orders:read", "orders:write"),
        ("GET", "/products", "openid orders:read", "catalog:read"),
        ("GET", "/products/p_1", "catalog:readonly", "catalog:read"),
    ] {
        let token = bff.backend.bearer_with("u_42", &json!({"scope": scope}));
        let client = bff.anonymous().with("authorization", &token);
        let answer = client.send(method.parse().unwrap(), path, None).await;
        assert_eq!(answer.status, 403, "{method} {path}");
        assert_eq!(answer.json()["type"], "urn:triptych:problem:forbidden");
        let challenge = format!(r#"Bearer realm="triptych", error="insufficient_scope", scope="{needed}""#);
        assert_eq!(answer.header("www-authenticate"), challenge, "{method} {path}");
    }
    assert!(bff.backend.services.seen().is_empty());
    let token = bff.backend.bearer_with("u_42", &json!({"scope": "catalog:read"}));
    assert_eq!(bff.anonymous().with("authorization", &token).get("/products").await.status, 200);
}

#[tokio::test]
async fn a_bound_token_is_good_for_the_holder_of_its_key_at_the_url_that_clients_know() {
    let bff = bff(&[]).await;
    let key = ProofKey::generate();
    let token = bff.backend.provider.token("u_42", &json!({"cnf": key.cnf()}));
    let ask = async |scheme: &str, proof: &str| {
        let client = bff.anonymous().with("authorization", &format!("{scheme} {token}"));
        client.with("dpop", proof).get("/products?q=tea").await
    };
    let good = key.proof("1", "GET", &format!("{PUBLIC_URL}/products"), &token);
    for (scheme, proof, status) in [
        ("DPoP", good.clone(), 200),
        ("DPoP", good, 401),
        ("DPoP", key.proof("2", "GET", "http://127.0.0.1:8080/products", &token), 401),
        ("DPoP", key.proof("3", "GET", &format!("{}/products", bff.served.url), &token), 401),
        ("DPoP", key.proof("4", "POST", &format!("{PUBLIC_URL}/products"), &token), 401),
        ("Bearer", key.proof("5", "GET", &format!("{PUBLIC_URL}/products"), &token), 401),
        ("DPoP", key.proof("6", "GET", &format!("{PUBLIC_URL}/products"), &token), 200),
    ] {
        let answer = ask(scheme, &proof).await;
        assert_eq!(answer.status, status, "{scheme} {proof}");
        assert_eq!(answer.header("www-authenticate").starts_with("DPoP "), status == 401);
    }
}

#[tokio::test]
async fn proofs_can_be_demanded() {
    let bff = bff(&[("BFF__IDENTITY__DPOP", "required")]).await;
    let answer = bff.client().get("/products").await;
    assert_eq!(answer.status, 401);
    let challenge = r#"DPoP realm="triptych", error="invalid_token", algs="ES256 ES384 EdDSA PS256 RS256""#;
    assert_eq!(answer.header("www-authenticate"), challenge);
}

#[tokio::test]
async fn another_issuer_can_be_added_by_the_environment() {
    let other = test_support::FakeUpstream::start().await;
    let provider = Provider::new(&other.url);
    other
        .on("GET /.well-known/openid-configuration", Reply::Json(provider.discovery()))
        .on("GET /jwks", Reply::Json(provider.jwks()));
    let authorization = format!("Bearer {}", provider.token("u_42", &json!({})));

    let alone = bff(&[]).await;
    assert_eq!(alone.anonymous().with("authorization", &authorization).get("/products").await.status, 401);
    assert!(other.seen().is_empty(), "an unknown issuer was asked");

    let two = bff(&[("BFF__IDENTITY__ISSUERS__PARTNERS__ISSUER", &other.url)]).await;
    assert_eq!(two.anonymous().with("authorization", &authorization).get("/products").await.status, 200);
    assert_eq!(two.client().get("/products").await.status, 200);
}
