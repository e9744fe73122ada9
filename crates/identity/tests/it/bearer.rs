use http::header::AUTHORIZATION;
use identity::Bearer;
use request_context::Authenticate;
use serde_json::json;

use super::provider::FakeProvider;
use super::signer::{Signer, claims};
use super::support::{bearer, head, request, summary};

/// Who `bearer` says sent this token.
pub(crate) async fn caller_of(bearer: &Bearer, token: &str) -> String {
    let head = head(&[(AUTHORIZATION, &format!("Bearer {token}"))]);
    summary(bearer.authenticate(&request(), &head).await)
}

#[tokio::test]
async fn good_tokens_of_every_usual_algorithm_name_their_caller() {
    let signers = [Signer::ed25519("e"), Signer::p256("p"), Signer::rsa("r")];
    let fake = FakeProvider::start(&signers.each_ref()).await;
    let bearer = bearer(&fake, &json!({}));
    for signer in &signers {
        assert_eq!(caller_of(&bearer, &signer.token()).await, "u_42", "{}", signer.alg());
    }
    assert_eq!((fake.calls("/.well-known/openid-configuration"), fake.calls("/jwks")), (1, 1));
}

#[tokio::test]
async fn the_caller_has_the_scopes_and_the_token_of_the_request() {
    let signer = Signer::ed25519("e");
    let fake = FakeProvider::start(&[&signer]).await;
    let bearer = bearer(&fake, &json!({}));
    let token = signer.token();
    for _warm in [false, true] {
        let head = head(&[(AUTHORIZATION, &format!("bEARER  {token}"))]);
        let caller = bearer.authenticate(&request(), &head).await.unwrap();
        assert!(caller.scopes.contains("openid") && caller.scopes.contains("profile"));
        assert_eq!(caller.token.expose(), token);
    }
}

#[tokio::test]
async fn claims_may_take_every_form_that_the_rfcs_allow() {
    let signer = Signer::ed25519("e");
    let fake = FakeProvider::start(&[&signer]).await;
    let bearer = bearer(&fake, &json!({}));
    let now = claims()["iat"].as_i64().unwrap();
    for (claim, value) in [
        ("aud", json!("mobile-bff")),
        ("exp", json!(f64::from(u32::try_from(now).unwrap()) + 60.5)),
        // Within the leeway of 30 s.
        ("exp", json!(now - 20)),
        ("nbf", json!(now + 20)),
        ("iat", json!(now - 86_400)),
    ] {
        let mut claims = claims();
        if claim == "exp" {
            claims["iat"] = json!(now - 3600);
        }
        claims[claim] = value;
        let token = signer.sign(&signer.header(), &claims);
        assert_eq!(caller_of(&bearer, &token).await, "u_42", "{claims}");
    }
    for optional in ["nbf", "scope", "client_id"] {
        let mut claims = claims();
        claims.as_object_mut().unwrap().remove(optional);
        let token = signer.sign(&signer.header(), &claims);
        assert_eq!(caller_of(&bearer, &token).await, "u_42", "without {optional}");
    }
    let mut header = signer.header();
    header["typ"] = json!("application/AT+JWT");
    assert_eq!(caller_of(&bearer, &signer.sign(&header, &claims())).await, "u_42");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_taken_for_another() {
    let signer = Signer::ed25519("e");
    let fake = FakeProvider::start(&[&signer]).await;
    let bearer = bearer(&fake, &json!({}));
    let token_of = |user| {
        let mut claims = claims();
        claims["sub"] = json!(format!("u_{user}"));
        signer.sign(&signer.header(), &claims)
    };
    let tokens: Vec<_> = (0..10).map(token_of).collect();
    let requests = (0..500).map(|n| {
        let (bearer, token) = (bearer.clone(), tokens[n % 10].clone());
        tokio::spawn(async move { (n % 10, caller_of(&bearer, &token).await) })
    });
    for request in requests.collect::<Vec<_>>() {
        let (user, caller) = request.await.unwrap();
        assert_eq!(caller, format!("u_{user}"));
    }
    assert_eq!(fake.calls("/jwks"), 1);
}

#[tokio::test]
async fn a_missing_scope_is_forbidden() {
    let signer = Signer::ed25519("e");
    let fake = FakeProvider::start(&[&signer]).await;
    let bearer = bearer(&fake, &json!({}));
    let head = head(&[(AUTHORIZATION, &format!("Bearer {}", signer.token()))]);
    let caller = bearer.authenticate(&request(), &head).await.unwrap();
    let ctx = request().with_caller(caller.clone());
    let outcome = |result: Result<(), _>| summary(result.map(|()| caller.clone()));

    let needs = |scope, scheme: &str| {
        let head = self::head(&[(AUTHORIZATION, scheme)]);
        outcome(Bearer::require_scope(&ctx, &head.headers, scope))
    };
    assert_eq!(needs("profile", "Bearer x"), "u_42");
    for (scheme, challenge) in [("bearer x", "Bearer"), ("dpop x", "DPoP")] {
        assert_eq!(
            needs("orders:read", scheme),
            format!(
                r#"403 www-authenticate: {challenge} realm="triptych", error="insufficient_scope", scope="orders:read""#
            )
        );
    }
    assert_eq!(outcome(identity::require_scope(&ctx, "orders:read")), "403");
    assert_eq!(outcome(identity::require_scope(&request(), "orders:read")), "403");
}
