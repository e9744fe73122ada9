//! Partners come with a key or with a token, and whoever guesses has to wait.

use std::net::IpAddr;
use std::time::Duration;

use http::header::AUTHORIZATION;
use identity::{PartnerCallers, X_API_KEY};
use problem::Problem;
use request_context::{Authenticate, Caller, RequestContext};
use serde_json::json;
use tokio::time::advance;

use super::api_keys::{Keys, accounts, key};
use super::provider::FakeProvider;
use super::signer::{Signer, claims};
use super::support::{Log, bearer, head, request, summary};

const GOOD: &str = "tpk_acme01_first";
const BAD: &str = "tpk_acme01_wrong";
const BOTH_CHALLENGES: &str = r#"401 www-authenticate: ApiKey realm="triptych", Bearer realm="triptych""#;

fn callers(fake: &FakeProvider) -> PartnerCallers {
    let accounts = accounts(fake);
    let keys = Keys::new(&[&key("acme01", "first", "")]).open(&accounts).unwrap();
    PartnerCallers::new(keys, bearer(fake, &json!({})), accounts)
}

fn from(address: Option<&str>) -> RequestContext {
    match address {
        Some(address) => request().with_client(address.parse::<IpAddr>().unwrap()),
        None => request(),
    }
}

async fn with_key(callers: &PartnerCallers, ctx: &RequestContext, key: &str) -> Result<Caller, Problem> {
    callers.authenticate(ctx, &head(&[(X_API_KEY, key)])).await
}

#[tokio::test]
async fn either_credential_and_not_both() {
    let signer = Signer::ed25519("k1");
    let fake = FakeProvider::start(&[&signer]).await;
    let callers = callers(&fake);
    let bearer = |subject: &str| {
        let mut claims = claims();
        (claims["sub"], claims["scope"]) = (json!(subject), json!("usage:read"));
        format!("Bearer {}", signer.sign(&signer.header(), &claims))
    };
    let (acme, ada) = (bearer("acct_acme"), bearer("u_42"));
    for (headers, expected) in [
        (vec![(X_API_KEY, GOOD)], "acct_acme"),
        (vec![(AUTHORIZATION, &*acme)], "acct_acme"),
        (vec![(AUTHORIZATION, &*ada)], "403"),
        (
            vec![(AUTHORIZATION, "Bearer x")],
            r#"401 www-authenticate: Bearer realm="triptych", error="invalid_token""#,
        ),
        (vec![(X_API_KEY, BAD)], r#"401 www-authenticate: ApiKey realm="triptych""#),
        (vec![(X_API_KEY, GOOD), (AUTHORIZATION, &*acme)], BOTH_CHALLENGES),
        (vec![(X_API_KEY, GOOD), (AUTHORIZATION, "Basic YTpi")], BOTH_CHALLENGES),
        (vec![], BOTH_CHALLENGES),
    ] {
        let answer = callers.authenticate(&request(), &head(&headers)).await;
        assert_eq!(summary(answer), expected, "{headers:?}");
    }
    let caller = callers.authenticate(&request(), &head(&[(AUTHORIZATION, &*acme)])).await.unwrap();
    assert_eq!(caller.scopes.as_str(), "usage:read", "the token's own, not a key's");
    assert_eq!(format!("Bearer {}", caller.token.expose()), acme);
}

#[tokio::test]
async fn the_twenty_first_bad_credential_of_a_minute_is_told_to_wait() {
    let fake = FakeProvider::start(&[]).await;
    let callers = callers(&fake);
    let (log, _guard) = Log::capture();
    let guesser = from(Some("192.0.2.1"));
    assert!(with_key(&callers, &guesser, GOOD).await.is_ok());
    // From here on nothing is fetched.
    tokio::time::pause();
    for number in 0..19 {
        assert_eq!(
            with_key(&callers, &guesser, GOOD).await.unwrap().subject.as_str(),
            "acct_acme",
            "{number}"
        );
        let bad = [head(&[(X_API_KEY, BAD)]), head(&[(AUTHORIZATION, "Bearer x")])];
        let refused = callers.authenticate(&guesser, &bad[number % 2]).await.unwrap_err();
        assert_eq!(refused.status(), 401, "{number}");
    }
    // Neither nothing at all nor two credentials is a guess.
    for headers in [&[][..], &[(X_API_KEY, GOOD), (AUTHORIZATION, "Bearer x")]] {
        assert_eq!(callers.authenticate(&guesser, &head(headers)).await.unwrap_err().status(), 401);
    }
    advance(Duration::from_secs(20)).await;
    assert_eq!(with_key(&callers, &guesser, BAD).await.unwrap_err().status(), 401);
    log.take();
    assert_eq!(summary(with_key(&callers, &guesser, BAD).await), "429 retry-after: 40");
    let events = log.take();
    assert!(events.contains("credential=api_key reason=WrongSecret"), "{events}");
    assert!(with_key(&callers, &guesser, GOOD).await.is_ok(), "who guesses shuts nobody out");
    for elsewhere in [Some("192.0.2.2"), None] {
        assert!(with_key(&callers, &from(elsewhere), GOOD).await.is_ok());
    }
    advance(Duration::from_secs(40)).await;
    assert!(with_key(&callers, &guesser, GOOD).await.is_ok());
}

#[tokio::test]
async fn whoever_is_not_known_is_one() {
    let fake = FakeProvider::start(&[]).await;
    let callers = callers(&fake);
    for _ in 0..20 {
        with_key(&callers, &from(None), BAD).await.unwrap_err();
    }
    assert_eq!(with_key(&callers, &from(None), BAD).await.unwrap_err().status(), 429);
    assert!(with_key(&callers, &from(None), GOOD).await.is_ok());
    assert!(with_key(&callers, &from(Some("2001:db8::1")), GOOD).await.is_ok());
}

#[tokio::test]
async fn a_subject_of_another_issuer_is_no_partner() {
    const ELSEWHERE: &str = "https://elsewhere.example";
    let (own, other) = (Signer::ed25519("k"), Signer::p256("k"));
    let (fake, elsewhere) = (FakeProvider::start(&[&own]).await, FakeProvider::start(&[&other]).await);
    elsewhere.set_issuer(ELSEWHERE);
    let keys_at = elsewhere.url().join("jwks").unwrap();
    let settings = json!({"issuers": {"x": {
        "issuer": ELSEWHERE, "jwks_url": keys_at, "audience": "shop", "algorithms": ["ES256"],
    }}});
    let accounts = accounts(&fake);
    let keys = Keys::new(&[]).open(&accounts).unwrap();
    let callers = PartnerCallers::new(keys, bearer(&fake, &settings), accounts);
    let mut claims = claims();
    (claims["iss"], claims["aud"], claims["sub"]) = (json!(ELSEWHERE), json!("shop"), json!("acct_acme"));
    let token = format!("Bearer {}", other.sign(&other.header(), &claims));
    let refused = callers.authenticate(&request(), &head(&[(AUTHORIZATION, &token)])).await.unwrap_err();
    assert_eq!(refused.status(), 403);
}
