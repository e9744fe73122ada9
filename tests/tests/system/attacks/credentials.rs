//! Tokens and keys that somebody made up.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use end_to_end::{ACME_KEY, Kind, System};
use serde_json::json;

use super::doors;

#[tokio::test]
async fn jwt_tricks_and_random_kid_flood() {
    let system = System::start().await;
    let token = system.shop.user_token("u_42").await;
    let [_, claims, signature] = token.split('.').collect::<Vec<_>>()[..] else { panic!("three parts") };
    let header = |header: serde_json::Value| BASE64_URL_SAFE_NO_PAD.encode(header.to_string());
    for (door, mobile) in doors(&system, Kind::Mobile) {
        for (what, header) in [
            ("none", header(json!({"alg": "none", "typ": "at+jwt"}))),
            ("a shared secret", header(json!({"alg": "HS256", "typ": "at+jwt", "kid": "k"}))),
            ("another type", header(json!({"alg": "EdDSA", "typ": "JWT", "kid": "k"}))),
            (
                "a key from elsewhere",
                header(json!({"alg": "EdDSA", "typ": "at+jwt", "jku": "http://127.0.0.1:9"})),
            ),
            ("a key of its own", header(json!({"alg": "EdDSA", "typ": "at+jwt", "jwk": {"kty": "OKP"}}))),
            ("a path for a key", header(json!({"alg": "EdDSA", "typ": "at+jwt", "kid": "../../dev/null"}))),
        ] {
            for signature in [signature, ""] {
                let forged = format!("Bearer {header}.{claims}.{signature}");
                let answer = mobile.clone().with("authorization", &forged).get("/home").await;
                assert_eq!(answer.outcome(), "401 unauthenticated", "{what} {door}");
                assert!(answer.header("www-authenticate").contains("Bearer"), "{what} {door}");
            }
        }
    }
    let mobile = system.bff(Kind::Mobile).client();
    for number in 0..300 {
        let header = header(json!({"alg": "EdDSA", "typ": "at+jwt", "kid": format!("k{number}")}));
        let forged = format!("Bearer {header}.{claims}.{signature}");
        let answer = mobile.clone().with("authorization", &forged).get("/home").await;
        assert!(["401 unauthenticated", "503 unavailable"].contains(&&*answer.outcome()), "{answer:?}");
    }
    let fetched = system.shop.identity_calls().await.get("GET /jwks").copied().unwrap_or_default();
    // Two a minute for each of the three BFFs, and the gateway's own.
    assert!(fetched <= 8, "the keys were fetched {fetched} times");
    let good = mobile.with("authorization", &format!("Bearer {token}")).get("/home").await;
    assert_eq!(good.outcome(), "200", "a flood of unknown keys keeps a known one out");
}

#[tokio::test]
async fn api_key_guessing() {
    let system = System::start().await;
    let (known, _) = ACME_KEY.rsplit_once('_').expect("a key has three parts");
    for (door, partner) in doors(&system, Kind::Partner) {
        let mut outcomes = vec![];
        for number in 0..40 {
            let guess =
                if number % 2 == 0 { format!("{known}_{number:064}") } else { format!("tpk_k{number}_x") };
            let answer = partner.clone().with("x-api-key", &guess).get("/v1/usage").await;
            if answer.status == 429 {
                let wait: u64 = answer.header("retry-after").parse().expect("when to try again");
                assert!((1..=60).contains(&wait), "{wait} {door}");
            }
            outcomes.push(answer.outcome());
        }
        assert!(outcomes.iter().all(|it| ["401 unauthenticated", "429 too-many-requests"].contains(&&**it)));
        // Around the gateway the guesses of the first door are remembered: the address is the same.
        assert_eq!(outcomes.last().expect("outcomes"), "429 too-many-requests", "{outcomes:?} {door}");
    }
}
