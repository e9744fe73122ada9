use std::time::Duration;

use identity::{Accounts, ApiKeys, Partners, SecretHash, X_API_KEY};
use request_context::Authenticate;
use serde_json::{Value, json};

use super::provider::FakeProvider;
use super::support::{Log, head, pass, provider, request, summary, until};

const REFUSED: &str = r#"401 www-authenticate: ApiKey realm="triptych""#;
const UNAVAILABLE: &str = "503 retry-after: 5";
const GOOD: &str = "tpk_acme01_first";

fn key(id: &str, secret: &str, expires_at: &str) -> Value {
    let sha256 = SecretHash::of(secret).to_string();
    json!({"id": id, "sha256": sha256, "scopes": ["orders:read", "usage:read"], "expires_at": expires_at})
}

pub(crate) fn partners() -> Partners {
    let acme = [
        key("acme01", "first", "2999-01-01T00:00:00Z"),
        key("acme02", "sec_ond", "2999-01-01T00:00:00Z"),
        key("acme00", "old", "2020-01-01T00:00:00Z"),
    ];
    let partners = json!({
        "acme": {"account": "acct_acme", "client_id": "acme", "client_secret": "a", "keys": acme},
        "globex": {"account": "acct_globex", "client_id": "globex", "client_secret": "g", "keys": []},
    });
    serde_json::from_value(partners).unwrap()
}

fn api_keys(fake: &FakeProvider) -> ApiKeys {
    let partners = partners();
    ApiKeys::new(&partners, &Accounts::new(&partners, &provider(fake, &json!({}))))
}

async fn caller_of(keys: &ApiKeys, key: &str) -> String {
    summary(keys.authenticate(&request(), &head(&[(X_API_KEY, key)])).await)
}

#[tokio::test]
async fn keys_are_good_or_refused_alike() {
    let fake = FakeProvider::start(&[]).await;
    let keys = api_keys(&fake);
    let (log, _guard) = Log::capture();
    let oversized = format!("{GOOD}{}", "a".repeat(512));
    for (key, expected, fault) in [
        (GOOD, "acct_acme", ""),
        ("tpk_acme02_sec_ond", "acct_acme", ""),
        ("tpk_acme01_sec_ond", REFUSED, "WrongSecret"),
        ("tpk_acme01_", REFUSED, "WrongSecret"),
        ("tpk_acme01_First", REFUSED, "WrongSecret"),
        ("tpk_nobody_first", REFUSED, "WrongSecret"),
        ("tpk__first", REFUSED, "WrongSecret"),
        ("tpk_acme00_old", REFUSED, "Expired"),
        ("tpk_acme00_new", REFUSED, "WrongSecret"),
        ("tpk_acme01", REFUSED, "Malformed"),
        ("acme01_first", REFUSED, "Malformed"),
        ("TPK_acme01_first", REFUSED, "Malformed"),
        ("", REFUSED, "Malformed"),
        ("tpk_acme01_é", REFUSED, "Malformed"),
        (oversized.as_str(), REFUSED, "Oversized"),
    ] {
        assert_eq!(caller_of(&keys, key).await, expected, "{key}");
        let events = log.take();
        assert_eq!(events.contains("credential refused"), !fault.is_empty(), "{key}: {events}");
        assert!(events.contains(&format!("reason={fault}")) != fault.is_empty(), "{key}: {events}");
        assert!(key.len() < 9 || !events.contains(key), "the log has the key: {events}");
    }
    let twice = head(&[(X_API_KEY, GOOD), (X_API_KEY, GOOD)]);
    assert_eq!(summary(keys.authenticate(&request(), &twice).await), REFUSED);
    assert_eq!(summary(keys.authenticate(&request(), &head(&[])).await), REFUSED);
    assert_eq!(fake.calls("/token"), 1, "a refused key cost a token, or a good one two");
}

#[tokio::test]
async fn a_key_stands_for_its_account_and_never_travels_on() {
    let fake = FakeProvider::start(&[]).await;
    let caller = api_keys(&fake).authenticate(&request(), &head(&[(X_API_KEY, GOOD)])).await.unwrap();
    assert_eq!(caller.token.expose(), "token-1");
    assert!(caller.scopes.contains("usage:read") && !caller.scopes.contains("orders:write"));
    let basic = "Basic YWNtZTph".to_owned();
    assert_eq!(fake.token_requests(), [(basic, "grant_type=client_credentials".to_owned())]);
}

#[tokio::test]
async fn a_hundred_requests_of_one_account_fetch_one_token_and_may_leave() {
    let fake = FakeProvider::start(&[]).await;
    let keys = api_keys(&fake);
    fake.hold();
    let requests: Vec<_> = (0..100)
        .map(|_| {
            let keys = keys.clone();
            tokio::spawn(async move { caller_of(&keys, GOOD).await })
        })
        .collect();
    until(|| fake.calls("/.well-known/openid-configuration") > 0).await;
    requests[0].abort();
    fake.release();
    for request in requests.into_iter().skip(1) {
        assert_eq!(request.await.unwrap(), "acct_acme");
    }
    assert_eq!(fake.calls("/token"), 1);
}

#[tokio::test]
async fn a_token_outlives_an_outage_of_the_provider() {
    let fake = FakeProvider::start(&[]).await;
    let keys = api_keys(&fake);
    assert_eq!(caller_of(&keys, GOOD).await, "acct_acme");
    fake.set_down(true);
    pass(Duration::from_secs(3590)).await;
    for _ in 0..20 {
        assert_eq!(caller_of(&keys, GOOD).await, "acct_acme", "the token had ten seconds left");
    }
    until(|| fake.calls("/token") == 2).await;
    pass(Duration::from_secs(10)).await;
    assert_eq!(caller_of(&keys, GOOD).await, UNAVAILABLE);
    let refused = caller_of(&keys, "tpk_acme01_wrong").await;
    assert_eq!(refused, REFUSED, "a bad key is bad in an outage too");

    fake.set_down(false);
    pass(Duration::from_secs(5)).await;
    assert_eq!(caller_of(&keys, GOOD).await, "acct_acme");
}

#[tokio::test]
async fn an_unusable_token_is_no_token() {
    for answer in [
        json!({"access_token": "t", "token_type": "DPoP"}),
        json!({"access_token": "t\n", "token_type": "Bearer"}),
        json!({"access_token": "", "token_type": "Bearer"}),
        json!({"access_token": "t"}),
        json!({"access_token": "t", "token_type": "Bearer", "expires_in": "soon"}),
    ] {
        let fake = FakeProvider::start(&[]).await;
        fake.set_token(answer.clone());
        assert_eq!(caller_of(&api_keys(&fake), GOOD).await, UNAVAILABLE, "{answer}");
    }
}
