//! Tokens of several issuers: each is held against its own issuer's rules and keys alone.

use http::header::AUTHORIZATION;
use identity::Bearer;
use request_context::Authenticate;
use serde_json::{Value, json};

use super::bearer::caller_of;
use super::provider::FakeProvider;
use super::signer::{Signer, claims};
use super::support::{ISSUER, bearer, head, pass, request, standing_still};

const REFUSED: &str = r#"401 www-authenticate: Bearer realm="triptych", error="invalid_token""#;
const PARTNERS: &str = "http://partners.example";

/// Two issuers whose keys have the same id, and a service that takes tokens of both.
struct Two {
    own: (Signer, FakeProvider),
    other: (Signer, FakeProvider),
    bearer: Bearer,
}

impl Two {
    async fn start() -> Self {
        let (own, other) = (Signer::ed25519("k"), Signer::p256("k"));
        let (at_own, at_other) = (FakeProvider::start(&[&own]).await, FakeProvider::start(&[&other]).await);
        at_other.set_issuer(PARTNERS);
        let settings = json!({"issuers": {"partners": {
            "issuer": PARTNERS, "jwks_url": at_other.url().join("jwks").unwrap(), "audience": "shop", "algorithms": ["ES256"],
        }}});
        let bearer = bearer(&at_own, &settings);
        Self { own: (own, at_own), other: (other, at_other), bearer }
    }

    /// How often each was asked for its keys.
    fn asked(&self) -> [usize; 2] {
        [&self.own.1, &self.other.1].map(|fake| fake.calls("/jwks"))
    }
}

fn token(signer: &Signer, issuer: &str, audience: &str, changes: &Value) -> String {
    let mut claims = claims();
    (claims["iss"], claims["aud"]) = (json!(issuer), json!(audience));
    for (claim, value) in changes.as_object().unwrap() {
        claims[claim] = value.clone();
    }
    signer.sign(&signer.header(), &claims)
}

#[tokio::test]
async fn each_issuer_vouches_for_its_own_subjects() {
    let two = Two::start().await;
    let (own, other) = (&two.own.0, &two.other.0);
    for (token, realm) in [
        (token(own, ISSUER, "mobile-bff", &json!({})), ISSUER),
        (token(other, PARTNERS, "shop", &json!({})), PARTNERS),
    ] {
        for _warm in [false, true] {
            let head = head(&[(AUTHORIZATION, &format!("Bearer {token}"))]);
            let caller = two.bearer.authenticate(&request(), &head).await.unwrap();
            assert_eq!((&*caller.realm, caller.subject.as_str()), (realm, "u_42"));
        }
    }
    assert_eq!(two.asked(), [1, 1]);
}

#[tokio::test]
async fn nobody_signs_for_another_issuer() {
    let two = Two::start().await;
    let (own, other) = (&two.own.0, &two.other.0);
    let none = &json!({});
    // Both have their keys.
    assert_eq!(caller_of(&two.bearer, &token(own, ISSUER, "mobile-bff", none)).await, "u_42");
    assert_eq!(caller_of(&two.bearer, &token(other, PARTNERS, "shop", none)).await, "u_42");
    for (what, token) in [
        ("the other's key", token(other, ISSUER, "mobile-bff", none)),
        ("the provider's key", token(own, PARTNERS, "shop", none)),
        ("the provider's audience", token(other, PARTNERS, "mobile-bff", none)),
        ("the other's audience", token(own, ISSUER, "shop", none)),
        ("two issuers", token(other, PARTNERS, "shop", &json!({"iss": [PARTNERS, ISSUER]}))),
    ] {
        assert_eq!(caller_of(&two.bearer, &token).await, REFUSED, "{what}");
    }
}

#[tokio::test]
async fn an_algorithm_is_pinned_for_each_issuer() {
    let (own, other) = (Signer::p256("k"), Signer::ed25519("k"));
    let (at_own, at_other) = (FakeProvider::start(&[&own]).await, FakeProvider::start(&[&other]).await);
    let jwks = at_other.url().join("jwks").unwrap();
    let settings = json!({"algorithms": ["ES256"], "issuers": {"x": {"issuer": PARTNERS, "jwks_url": jwks, "algorithms": ["ES256"]}}});
    let bearer = bearer(&at_own, &settings);
    assert_eq!(caller_of(&bearer, &token(&own, ISSUER, "mobile-bff", &json!({}))).await, "u_42");
    assert_eq!(caller_of(&bearer, &token(&other, PARTNERS, "mobile-bff", &json!({}))).await, REFUSED);
    assert_eq!(at_other.calls("/jwks"), 0, "an algorithm that is not taken needs no key");
}

#[tokio::test]
async fn an_unknown_issuer_is_refused_and_nobody_is_asked() {
    let two = Two::start().await;
    for issuer in ["http://mallory.example", "", "http://idp.shop.example/", "http://PARTNERS.example"] {
        let token = token(&Signer::ed25519("k"), issuer, "mobile-bff", &json!({}));
        assert_eq!(caller_of(&two.bearer, &token).await, REFUSED, "{issuer}");
    }
    assert_eq!(two.asked(), [0, 0]);
    assert_eq!(two.own.1.calls("/.well-known/openid-configuration"), 0);
}

#[tokio::test]
async fn each_issuer_has_a_budget_of_its_own() {
    let two = Two::start().await;
    let forged = |issuer, audience| {
        let unknown = Signer::p256(request().request_id().as_str());
        token(&unknown, issuer, audience, &json!({}))
    };
    let flood = async |times: usize| {
        for _ in 0..times {
            caller_of(&two.bearer, &forged(PARTNERS, "shop")).await;
        }
    };
    flood(2).await;
    standing_still(flood(100)).await;
    assert_eq!(two.asked(), [0, 2]);
    // The flood has spent nothing of the provider's.
    assert_eq!(caller_of(&two.bearer, &token(&two.own.0, ISSUER, "mobile-bff", &json!({}))).await, "u_42");
    assert_eq!(caller_of(&two.bearer, &forged(ISSUER, "mobile-bff")).await, REFUSED);
    assert_eq!(two.asked(), [2, 2]);
    pass(std::time::Duration::from_mins(1)).await;
    flood(1).await;
    assert_eq!(two.asked(), [2, 3]);
}

#[tokio::test]
async fn an_issuer_that_is_down_keeps_nobody_else_out() {
    let two = Two::start().await;
    two.other.1.set_down(true);
    assert_eq!(caller_of(&two.bearer, &token(&two.own.0, ISSUER, "mobile-bff", &json!({}))).await, "u_42");
    let other = caller_of(&two.bearer, &token(&two.other.0, PARTNERS, "shop", &json!({}))).await;
    assert_eq!(other, "503 retry-after: 5");
}
