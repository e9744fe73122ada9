use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use identity::{Accounts, ApiKeys, ApiKeysSettings, Partners, SecretHash, X_API_KEY};
use request_context::Authenticate;
use serde_json::json;
use tempfile::TempDir;

use super::provider::FakeProvider;
use super::support::{Log, head, pass, provider, request, summary, until};

const REFUSED: &str = r#"401 www-authenticate: ApiKey realm="triptych""#;
const UNAVAILABLE: &str = "503 retry-after: 5";
const GOOD: &str = "tpk_acme01_first";
const SCOPES: &[&str] = &["orders:read", "usage:read"];

/// A keys file.
pub(crate) struct Keys(TempDir);

impl Keys {
    pub(crate) fn new(entries: &[&str]) -> Self {
        let keys = Self(TempDir::new().unwrap());
        keys.write(entries);
        keys
    }

    pub(crate) fn write(&self, entries: &[&str]) {
        fs::write(self.path(), entries.concat()).unwrap();
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.0.path().join("keys.toml")
    }

    pub(crate) fn open(&self, accounts: &Arc<Accounts>) -> Result<ApiKeys, String> {
        let settings = ApiKeysSettings { file: Some(self.path()), look_every: Duration::from_millis(10) };
        let keys = ApiKeys::open(&settings, &partners(), accounts, SCOPES);
        keys.map_err(|error| error.to_string().replace(&self.path().display().to_string(), "FILE"))
    }
}

/// A key of acme in a keys file, with `more` lines.
pub(crate) fn key(id: &str, secret: &str, more: &str) -> String {
    key_of("acme", id, secret, more)
}

fn key_of(partner: &str, id: &str, secret: &str, more: &str) -> String {
    let mut text =
        format!("[[key]]\nid = '{id}'\npartner = '{partner}'\nsha256 = '{}'\n", SecretHash::of(secret));
    writeln!(text, "scopes = ['orders:read', 'usage:read']\ncreated_at = 2026-11-01T10:00:00Z\n{more}")
        .unwrap();
    text
}

fn all_keys() -> Keys {
    Keys::new(&[
        &key("acme01", "first", "expires_at = 2999-01-01T00:00:00Z"),
        &key("acme02", "sec_ond", "expires_at = '2999-01-01T00:00:00Z'"),
        &key("acme00", "old", "expires_at = 2020-01-01T00:00:00+01:00"),
        &key("acme03", "lost", "revoked_at = 2020-01-01T00:00:00Z"),
        &key_of("initech", "initech1", "gone", "revoked_at = 2020-01-01T00:00:00Z"),
    ])
}

pub(crate) fn partners() -> Partners {
    let partners = json!({
        "acme": {"account": "acct_acme", "client_id": "acme", "client_secret": "a"},
        "globex": {"account": "acct_globex", "client_id": "globex", "client_secret": "g"},
    });
    serde_json::from_value(partners).unwrap()
}

pub(crate) fn accounts(fake: &FakeProvider) -> Arc<Accounts> {
    Accounts::new(&partners(), &provider(fake, &json!({})))
}

fn api_keys(fake: &FakeProvider) -> ApiKeys {
    all_keys().open(&accounts(fake)).unwrap()
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
        ("tpk_acme03_lost", REFUSED, "Revoked"),
        ("tpk_acme03_first", REFUSED, "WrongSecret"),
        ("tpk_initech1_gone", REFUSED, "WrongSecret"),
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
        let used =
            events.contains(r#"event="api_key.used" key_id="acme0"#) && events.contains("partner=\"acme\"");
        assert_eq!(used, fault.is_empty(), "{key}: {events}");
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

#[tokio::test]
async fn a_file_that_cannot_be_used_is_one_clear_line() {
    let fake = FakeProvider::start(&[]).await;
    let accounts = accounts(&fake);
    let good = key("acme01", "first", "");
    let expired = key("acme01", "first", "expires_at = 2020-01-01T00:00:00Z");
    let third = [key("a", "a", ""), key("b", "b", ""), key("c", "c", "")].concat();
    for (text, line) in [
        (String::new(), ""),
        (expired.clone() + &third.replace("id = 'c'\n", "id = 'c'\nrevoked_at = 2020-01-01T00:00:00Z\n"), ""),
        (expired.replace("'acme'", "'initech'").replace("orders:read", "old:scope"), ""),
        (third.clone(), "FILE: acme has more than 2 active keys: revoke one"),
        (good.clone() + &good, "FILE: the id acme01 is there twice"),
        (
            good.replace("'acme'", "'initech'"),
            r#"FILE: key acme01: there is no partner "initech"; the settings have: acme, globex"#,
        ),
        (
            good.replace("orders:read", "orders:reed"),
            r#"FILE: key acme01: there is no scope "orders:reed"; there are: orders:read, usage:read"#,
        ),
        (
            good.replace("'orders:read', 'usage:read'", ""),
            "FILE: key acme01: it needs at least one scope of: orders:read, usage:read",
        ),
        (good.replace("acme01", "acme_01"), "FILE line 2: an id must be 1 to 64 letters and digits"),
        (good.replace("sha256 = '", "sha256 = 'x"), "FILE line 4: must be 64 hexadecimal digits"),
        (
            good.replace("10:00:00Z", "10:00:00"),
            "FILE line 6: must be a moment with its offset, as 2026-11-22T10:00:00Z",
        ),
        (good.replace("created_at", "made_at"), "FILE line 6: unknown field `made_at`, expected one of"),
        (good.replace("partner = 'acme'\n", ""), "FILE line 1: missing field `partner`"),
        (good.replace("[[key]]", "[[keys]]"), "FILE line 1: unknown field `keys`, expected `key`"),
        (good.replace("[[key]]", "[[key"), "FILE line 1: "),
        ("#".repeat((1 << 20) + 1), "cannot read FILE: it is larger than 1 MiB"),
    ] {
        let opened = Keys::new(&[&text]).open(&accounts);
        match opened {
            Ok(_) => assert_eq!(line, "", "{text}"),
            Err(error) => {
                assert!(error.starts_with(line) && !line.is_empty(), "{error}");
                assert!(
                    !error.contains('\n') && !error.contains(&SecretHash::of("first").to_string()),
                    "{error}"
                );
            }
        }
    }
    let keys = Keys::new(&[]);
    fs::remove_file(keys.path()).unwrap();
    assert_eq!(
        keys.open(&accounts).err().unwrap(),
        "cannot read FILE: No such file or directory (os error 2)"
    );
}

#[tokio::test]
async fn keys_come_and_go_while_the_service_runs_and_a_bad_file_changes_nothing() {
    let fake = FakeProvider::start(&[]).await;
    let file = Keys::new(&[&key("acme01", "first", "")]);
    let keys = file.open(&accounts(&fake)).unwrap();
    let (log, _guard) = Log::capture();
    keys.watch();
    let logged = async |words: &[&str]| {
        let mut seen = String::new();
        while !words.iter().all(|word| seen.contains(word)) {
            tokio::time::sleep(Duration::from_millis(5)).await;
            seen += &log.take();
        }
        seen
    };
    assert_eq!(caller_of(&keys, GOOD).await, "acct_acme");

    file.write(&[&key("acme01", "first", ""), &key("acme02", "sec_ond", "")]);
    logged(&["API keys were read again", "keys=2", "came=\"acme02\"", "went=\"\""]).await;
    assert_eq!(caller_of(&keys, "tpk_acme02_sec_ond").await, "acct_acme");

    file.write(&[
        &key("acme01", "first", "revoked_at = 2020-01-01T00:00:00Z"),
        &key("acme02", "sec_ond", ""),
    ]);
    logged(&["keys=1", "came=\"\"", "went=\"acme01\""]).await;
    assert_eq!(caller_of(&keys, GOOD).await, REFUSED);

    // As Kubernetes swaps a secret: by a link to another directory.
    let swapped = file.path().with_file_name("swapped");
    fs::write(&swapped, key("acme03", "third", "")).unwrap();
    let link = file.path().with_file_name("link");
    std::os::unix::fs::symlink(&swapped, &link).unwrap();
    fs::rename(&link, file.path()).unwrap();
    logged(&["keys=1", "came=\"acme03\"", "went=\"acme02\""]).await;
    assert_eq!(caller_of(&keys, "tpk_acme03_third").await, "acct_acme");

    let good = fs::read(&swapped).unwrap();
    file.write(&["[[key]]\nid = 'x'"]);
    let seen = logged(&["WARN", "the keys from before stay", "line 1: missing field"]).await;
    fs::remove_file(file.path()).unwrap();
    let gone = logged(&["WARN", "cannot read", "No such file"]).await;
    assert_eq!(
        (seen + &gone).matches("WARN").count(),
        2,
        "one line for each fault, however often it was looked at"
    );
    assert_eq!(caller_of(&keys, "tpk_acme03_third").await, "acct_acme");
    fs::write(file.path(), good).unwrap();
    logged(&["INFO", "as before again"]).await;
    assert_eq!(caller_of(&keys, "tpk_acme03_third").await, "acct_acme");
}
