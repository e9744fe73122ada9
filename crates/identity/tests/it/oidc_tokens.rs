//! What comes from the token endpoint in the name of the provider: forged, refused, or nonsense.

use std::time::Duration;

use aws_lc_rs::hmac;
use identity::SignInTrouble;
use serde_json::{Value, json};

use super::oidc::house;
use super::oidc_provider::{header, id_claims, tokens};
use super::signer::{Signer, encode, message};
use super::support::{Log, pass};

/// Makes a bad ID token for a sign-in with this nonce.
type Forgery<'a> = Box<dyn FnOnce(&str) -> String + 'a>;

fn reason(log: &Log) -> Option<String> {
    let log = log.take();
    let refused = log.lines().find(|line| line.contains("sign-in refused"))?;
    Some(refused.split("reason=").nth(1)?.split(' ').next()?.to_owned())
}

#[tokio::test]
async fn no_forged_id_token_signs_anybody_in() {
    let house = house().await;
    let (log, _guard) = Log::capture();
    let (good, mallory) = (&house.signer, Signer::ed25519("good"));
    let now = id_claims("")["iat"].as_i64().unwrap();
    let with = |claim: &str, value: Value| {
        let claim = claim.to_owned();
        Box::new(move |nonce: &str| {
            let mut claims = id_claims(nonce);
            claims[&claim] = value;
            good.sign(&header(good), &claims)
        }) as Forgery<'_>
    };
    let without = |claim: &'static str| {
        Box::new(move |nonce: &str| {
            let mut claims = id_claims(nonce);
            claims.as_object_mut().unwrap().remove(claim);
            good.sign(&header(good), &claims)
        }) as Forgery<'_>
    };
    let with_header = |member: &str, value: Value| {
        let member = member.to_owned();
        Box::new(move |nonce: &str| {
            let mut header = header(good);
            header[&member] = value;
            good.sign(&header, &id_claims(nonce))
        }) as Forgery<'_>
    };
    let unsigned = |alg: &'static str| {
        Box::new(move |nonce: &str| {
            let unsigned = json!({"alg": alg, "typ": "JWT", "kid": "good"});
            format!("{}.", message(&unsigned, &id_claims(nonce)))
        }) as Forgery<'_>
    };
    let hmac = |nonce: &str| {
        let message = message(&json!({"alg": "HS256", "typ": "JWT", "kid": "good"}), &id_claims(nonce));
        let key = hmac::Key::new(hmac::HMAC_SHA256, &good.public_bytes());
        format!("{message}.{}", encode(hmac::sign(&key, message.as_bytes())))
    };
    let with_client_secret = |nonce: &str| {
        let message = message(&json!({"alg": "HS256", "typ": "JWT", "kid": "good"}), &id_claims(nonce));
        let key = hmac::Key::new(hmac::HMAC_SHA256, super::oidc_provider::SECRET.as_bytes());
        format!("{message}.{}", encode(hmac::sign(&key, message.as_bytes())))
    };
    let spliced = |nonce: &str| {
        let signature = good.sign(&header(good), &id_claims(nonce)).rsplit('.').next().unwrap().to_owned();
        let mut claims = id_claims(nonce);
        claims["sub"] = json!("u_1");
        format!("{}.{signature}", message(&header(good), &claims))
    };
    let foreign = |nonce: &str| mallory.sign(&header(&mallory), &id_claims(nonce));
    let own_key = |nonce: &str| {
        let mut bringing = header(&mallory);
        bringing["jwk"] = mallory.jwk();
        mallory.sign(&bringing, &id_claims(nonce))
    };

    let attacks: Vec<(&str, Forgery<'_>)> = vec![
        ("WrongNonce", with("nonce", json!("another"))),
        ("WrongNonce", without("nonce")),
        ("WrongIssuer", with("iss", json!("http://mallory.example"))),
        ("WrongIssuer", with("iss", json!("http://idp.shop.example/"))),
        ("BadClaim", without("iss")),
        ("WrongAudience", with("aud", json!("mobile-bff"))),
        ("BadClaim", without("aud")),
        ("WrongParty", with("aud", json!(["web-bff", "mobile-bff"]))),
        ("WrongParty", with("azp", json!("mobile-bff"))),
        ("Expired", with("exp", json!(now - 60))),
        ("BadClaim", without("exp")),
        ("BadClaim", with("exp", json!("never"))),
        ("NotYetValid", with("iat", json!(now + 120))),
        ("BadClaim", without("iat")),
        ("BadClaim", without("sub")),
        ("BadSubject", with("sub", json!("u_42\r\nX-Admin: 1"))),
        ("WrongTokenHash", with("at_hash", json!("77QmUPtjPfzWtF2AnpK9RQ"))),
        ("WrongType", with_header("typ", json!("at+jwt"))),
        ("WrongType", with_header("typ", json!("logout+jwt"))),
        ("ForbiddenHeader", with_header("jku", json!("http://mallory.example/jwks"))),
        ("ForbiddenHeader", with_header("crit", json!(["b64"]))),
        ("ForbiddenHeader", Box::new(own_key)),
        ("UnknownKey", with_header("kid", json!("../../dev/null"))),
        ("UnknownKey", with_header("kid", Value::Null)),
        ("Malformed", unsigned("none")),
        ("WrongSignature", unsigned("EdDSA")),
        ("WrongAlgorithm", unsigned("HS256")),
        ("WrongAlgorithm", Box::new(hmac)),
        ("WrongAlgorithm", Box::new(with_client_secret)),
        ("WrongAlgorithm", with_header("alg", json!("RS256"))),
        ("WrongSignature", Box::new(foreign)),
        ("WrongSignature", Box::new(spliced)),
        ("Malformed", Box::new(|_: &str| "no token".to_owned())),
    ];
    for (fault, token) in attacks {
        log.take();
        if fault == "UnknownKey" {
            // Unknown keys may be asked for twice a minute.
            pass(Duration::from_mins(2)).await;
        }
        assert_eq!(house.sign_in_with(token).await, Err(SignInTrouble::Forged), "{fault}");
        assert_eq!(reason(&log).as_deref(), Some(fault));
    }
    assert!(house.sign_in_with(|nonce| good.sign(&header(good), &id_claims(nonce))).await.is_ok());
}

#[tokio::test]
async fn a_token_endpoint_that_refuses_or_fails_signs_nobody_in() {
    let house = house().await;
    let without = |member: &'static str| {
        let signer = &house.signer;
        move |nonce: &str| {
            let mut answer = tokens(signer, nonce);
            answer.as_object_mut().unwrap().remove(member);
            answer
        }
    };
    for (status, body, trouble) in [
        (400, json!({"error": "invalid_grant", "error_description": "used"}), SignInTrouble::Refused),
        (400, json!({"error": "invalid_request"}), SignInTrouble::Unavailable),
        (400, json!("<h1>Bad request</h1>"), SignInTrouble::Unavailable),
        (401, json!({"error": "invalid_client"}), SignInTrouble::Unavailable),
        (401, json!({"error": "invalid_grant"}), SignInTrouble::Unavailable),
        (500, json!({"error": "invalid_grant"}), SignInTrouble::Unavailable),
        (503, json!({}), SignInTrouble::Unavailable),
        (302, json!({}), SignInTrouble::Unavailable),
        (200, json!("<h1>Sign in</h1>"), SignInTrouble::Unavailable),
        (200, json!({}), SignInTrouble::Unavailable),
        (200, without("id_token")(""), SignInTrouble::Unavailable),
        (200, without("access_token")(""), SignInTrouble::Unavailable),
        (200, without("token_type")(""), SignInTrouble::Unavailable),
    ] {
        assert_eq!(house.sign_in(|_| (status, body.clone())).await, Err(trouble), "{status} {body}");
    }
    let oversized = |nonce: &str| {
        let mut answer = tokens(&house.signer, nonce);
        answer["id_token"] = json!("a".repeat(16_385));
        (200, answer)
    };
    assert_eq!(house.sign_in(oversized).await, Err(SignInTrouble::Unavailable));
    let other_type = |nonce: &str| {
        let mut answer = tokens(&house.signer, nonce);
        answer["token_type"] = json!("DPoP");
        (200, answer)
    };
    assert_eq!(house.sign_in(other_type).await, Err(SignInTrouble::Unavailable));
}
