//! The provider's keys over time.

use std::time::Duration;

use identity::Bearer;
use serde_json::json;
use tokio::time::Instant;

use super::bearer::caller_of;
use super::provider::FakeProvider;
use super::signer::{Signer, claims};
use super::support::{bearer, pass, request, standing_still, until};

const REFUSED: &str = r#"401 www-authenticate: Bearer realm="triptych", error="invalid_token""#;
const UNAVAILABLE: &str = "503 retry-after: 5";
const SECOND: Duration = Duration::from_secs(1);

async fn start(signers: &[&Signer]) -> (FakeProvider, Bearer) {
    let fake = FakeProvider::start(signers).await;
    let bearer = bearer(&fake, &json!({}));
    (fake, bearer)
}

/// A token for somebody not seen before, so that no earlier verification answers.
fn new_token(signer: &Signer) -> String {
    let mut claims = claims();
    claims["jti"] = json!(request().request_id().as_str());
    signer.sign(&signer.header(), &claims)
}

/// What a token is told whose key nobody has.
async fn forged(bearer: &Bearer) -> String {
    caller_of(bearer, &new_token(&Signer::ed25519(request().request_id().as_str()))).await
}

#[tokio::test]
async fn a_flood_of_random_key_ids_makes_two_fetches_a_minute() {
    let good = Signer::ed25519("good");
    let (fake, bearer) = start(&[&good]).await;
    let flood = async |answer| {
        for _ in 0..100 {
            assert_eq!(forged(&bearer).await, answer);
            assert_eq!(caller_of(&bearer, &new_token(&good)).await, "u_42");
        }
    };
    for minute in 1..=3 {
        assert_eq!(forged(&bearer).await, REFUSED);
        assert_eq!(forged(&bearer).await, REFUSED);
        assert_eq!(fake.calls("/jwks"), 2 * minute);
        standing_still(flood(REFUSED)).await;
        pass(2 * SECOND).await;
        // The provider may have such a key by now, and must not be asked.
        standing_still(flood(UNAVAILABLE)).await;
        assert_eq!(fake.calls("/jwks"), 2 * minute);
        pass(58 * SECOND).await;
    }
    assert_eq!(fake.calls("/.well-known/openid-configuration"), 1);
}

#[tokio::test]
async fn a_rotation_during_a_flood_gives_no_false_refusal_and_no_third_fetch() {
    for rotated_after in [3, 30, 50, 90] {
        let (old, new) = (Signer::ed25519("old"), Signer::ed25519("new"));
        let (fake, bearer) = start(&[&old]).await;
        let begun = Instant::now();
        let mut last = String::new();
        for second in 0..=rotated_after + 60 {
            if second == rotated_after {
                fake.set_keys(&[&new]);
            }
            let current = if second < rotated_after { &old } else { &new };
            assert_ne!(forged(&bearer).await, "u_42");
            last = caller_of(&bearer, &new_token(current)).await;
            assert_ne!(last, REFUSED, "rotated after {rotated_after} s, {second} s: a false refusal");
            assert!(second >= rotated_after || last == "u_42", "{second} s: a good key was lost");
            let fetches = u64::try_from(fake.calls("/jwks")).unwrap();
            assert!(fetches <= 2 * (begun.elapsed().as_secs() / 60 + 1), "{second} s: {fetches} fetches");
            pass(SECOND).await;
        }
        assert_eq!(last, "u_42", "rotated after {rotated_after} s: not noticed within a minute");
    }
}

#[tokio::test]
async fn what_a_withdrawn_key_signed_is_refused_even_if_the_provider_must_not_be_asked() {
    let (old, new) = (Signer::ed25519("old"), Signer::ed25519("new"));
    let (fake, bearer) = start(&[&old]).await;
    let tokens = [new_token(&old), new_token(&old)];
    assert_eq!(caller_of(&bearer, &tokens[0]).await, "u_42");
    fake.set_keys(&[&new]);
    assert_eq!(caller_of(&bearer, &new_token(&new)).await, "u_42");
    pass(30 * SECOND).await;
    for token in tokens {
        assert_eq!(caller_of(&bearer, &token).await, REFUSED);
    }
    assert_eq!(forged(&bearer).await, UNAVAILABLE);
    assert_eq!(fake.calls("/jwks"), 2);

    fake.set_keys(&[&old, &new]);
    pass(30 * SECOND).await;
    assert_eq!(caller_of(&bearer, &new_token(&old)).await, "u_42", "it was brought back");
}

#[tokio::test]
async fn a_hundred_first_requests_fetch_the_keys_once() {
    let good = Signer::ed25519("good");
    let (fake, bearer) = start(&[&good]).await;
    fake.hold();
    let requests: Vec<_> = (0..100)
        .map(|_| {
            let (bearer, token) = (bearer.clone(), new_token(&good));
            tokio::spawn(async move { caller_of(&bearer, &token).await })
        })
        .collect();
    until(|| fake.calls("/.well-known/openid-configuration") > 0).await;
    requests[0].abort();
    fake.release();
    for request in requests.into_iter().skip(1) {
        assert_eq!(request.await.unwrap(), "u_42");
    }
    assert_eq!((fake.calls("/.well-known/openid-configuration"), fake.calls("/jwks")), (1, 1));
}

#[tokio::test]
async fn rotation_gives_no_false_refusal_and_ends_what_the_old_key_signed() {
    let (old, new) = (Signer::ed25519("old"), Signer::rsa("new"));
    let (fake, bearer) = start(&[&old]).await;
    let old_token = old.token();
    assert_eq!(caller_of(&bearer, &old_token).await, "u_42");
    fake.set_keys(&[&new]);
    assert_eq!(caller_of(&bearer, &old_token).await, "u_42", "nobody knows yet");
    assert_eq!(caller_of(&bearer, &new.token()).await, "u_42");
    assert_eq!(caller_of(&bearer, &old_token).await, REFUSED, "a key that was withdrawn still counted");
    assert_eq!(fake.calls("/jwks"), 2);
}

#[tokio::test]
async fn old_keys_are_refreshed_behind_a_request_even_a_warm_one() {
    let good = Signer::ed25519("good");
    let (fake, bearer) = start(&[&good]).await;
    let token = good.token();
    assert_eq!(caller_of(&bearer, &token).await, "u_42");
    pass(299 * SECOND).await;
    assert_eq!(caller_of(&bearer, &token).await, "u_42");
    pass(SECOND).await;
    fake.hold();
    assert_eq!(caller_of(&bearer, &token).await, "u_42", "it waited for the refresh");
    until(|| fake.calls("/jwks") == 2).await;
    fake.release();
}

#[tokio::test]
async fn while_the_provider_is_down_its_keys_count_up_to_the_stale_bound() {
    let good = Signer::ed25519("good");
    let (fake, bearer) = start(&[&good]).await;
    let token = good.token();
    assert_eq!(caller_of(&bearer, &token).await, "u_42");
    fake.set_down(true);
    pass((24 * 3600 - 2) * SECOND).await;
    assert_eq!(caller_of(&bearer, &token).await, "u_42");
    assert_eq!(caller_of(&bearer, &new_token(&good)).await, "u_42");
    // Whether the provider has this key nobody can say.
    assert_eq!(caller_of(&bearer, &Signer::ed25519("unknown").token()).await, UNAVAILABLE);
    pass(2 * SECOND).await;
    assert_eq!(caller_of(&bearer, &token).await, UNAVAILABLE);

    fake.set_down(false);
    pass(5 * SECOND).await;
    assert_eq!(caller_of(&bearer, &token).await, "u_42");
}

#[tokio::test]
async fn without_any_key_nobody_is_refused_and_the_provider_is_asked_with_care() {
    let good = Signer::ed25519("good");
    let (fake, bearer) = start(&[&good]).await;
    fake.set_down(true);
    for _ in 0..50 {
        assert_eq!(caller_of(&bearer, &good.token()).await, UNAVAILABLE);
    }
    assert_eq!(fake.calls("/.well-known/openid-configuration"), 1);
    fake.set_down(false);
    pass(SECOND).await;
    assert_eq!(caller_of(&bearer, &good.token()).await, "u_42");
}

#[tokio::test]
async fn keys_can_be_there_before_the_first_request() {
    let good = Signer::ed25519("good");
    let (fake, bearer) = start(&[&good]).await;
    bearer.warm();
    until(|| fake.calls("/jwks") == 1).await;
    assert_eq!(caller_of(&bearer, &good.token()).await, "u_42");
    assert_eq!(fake.calls("/jwks"), 1);
}

#[tokio::test]
async fn keys_may_be_where_the_settings_say() {
    let good = Signer::ed25519("good");
    let fake = FakeProvider::start(&[&good]).await;
    let keys = fake.url().join("jwks").unwrap();
    let bearer = bearer(&fake, &json!({"jwks_url": keys, "provider_url": "http://127.0.0.1:9"}));
    assert_eq!(caller_of(&bearer, &good.token()).await, "u_42");
}
