use serde_json::{Value, json};

use super::*;

fn identity(changes: &Value) -> Result<IdentitySettings, String> {
    let mut settings = json!({"issuer": "http://127.0.0.1:3007", "client_secret": "hush"});
    for (key, value) in changes.as_object().unwrap() {
        settings[key] = value.clone();
    }
    serde_json::from_value(settings).map_err(|error| error.to_string())
}

fn partners(value: Value) -> Result<Partners, String> {
    serde_json::from_value(value).map_err(|error| error.to_string())
}

fn partner(account: &str, keys: &[Value]) -> Value {
    json!({"account": account, "client_id": "acme", "client_secret": "hush", "keys": keys})
}

fn key(id: &str) -> Value {
    json!({"id": id, "sha256": "0".repeat(64), "scopes": ["orders:read"]})
}

#[test]
fn every_default_is_shown_and_no_secret_is() {
    let settings = identity(&json!({})).unwrap();
    let shown = json!({
        "issuer": "http://127.0.0.1:3007", "client_secret": "[redacted]",
        "algorithms": ["EdDSA", "ES256", "RS256"], "leeway": "30s", "keys_max_age": "5m", "keys_stale_for": "24h",
        "exchange": {"mode": "exchange"},
    });
    assert_eq!(serde_json::to_value(&settings).unwrap(), shown);
    assert!(!format!("{settings:?}").contains("hush"));

    let settings = partners(json!({"acme": partner("acct_acme", &[key("acme01")])})).unwrap();
    let shown = serde_json::to_value(&settings).unwrap();
    assert_eq!(shown["acme"]["client_secret"], "[redacted]");
    assert_eq!(shown["acme"]["keys"][0], key("acme01"));
    assert!(!format!("{settings:?}").contains("hush"));
}

#[test]
fn what_is_out_of_range_is_one_clear_line() {
    for (changes, line) in [
        (json!({"issuer": "shop"}), "must be a URL that begins with http:// or https://"),
        (json!({"issuer": "ftp://shop"}), "must be a URL that begins with http:// or https://"),
        (json!({"provider_url": "http://idp?x=1"}), "must be a URL without query and fragment"),
        (json!({"provider_url": "http://a:b@idp"}), "must be a URL without a credential"),
        (json!({"audience": ""}), "must be 1 to 256 visible ASCII characters"),
        (json!({"jwks_url": "http://idp/keys#k"}), "must be a URL without fragment"),
        (json!({"token_url": "http://a:b@idp/token"}), "must be a URL without a credential"),
        (json!({"client_secret": ""}), "must not be empty"),
        (json!({"algorithms": []}), "must name at least one algorithm"),
        (json!({"algorithms": ["HS256"]}), "unknown variant `HS256`"),
        (json!({"algorithms": ["none"]}), "unknown variant `none`"),
        (json!({"leeway": "6m"}), "must be between 0s and 5m"),
        (json!({"keys_max_age": "1s"}), "must be between 1m and 24h"),
        (json!({"keys_stale_for": "1000h"}), "must be between 1m and 168h"),
        (json!({"jwks": "http://idp"}), "unknown field `jwks`"),
        (
            json!({"exchange": {"mode": "none"}}),
            "unknown variant `none`, expected `exchange` or `pass_through`",
        ),
        (
            json!({"exchange": {"audiences": {"orders": ""}}}),
            "orders must be 1 to 256 visible ASCII characters",
        ),
        (
            json!({"exchange": {"mode": "pass_through", "audiences": {"orders": "o"}}}),
            "audiences are for mode `exchange`: tokens that pass through stay as they are",
        ),
    ] {
        let error = identity(&changes).unwrap_err();
        assert!(error.contains(line), "{error}");
    }
}

#[test]
fn what_may_be_a_secret_is_not_quoted() {
    let text = "hunter2";
    for value in
        [json!(12_345_678), json!(12.5), json!(true), json!([text]), json!({text: text}), json!(null)]
    {
        let own = identity(&json!({"client_secret": value})).unwrap_err();
        assert_eq!(own, "must be text");

        let mut acme = partner("acct_acme", &[]);
        acme["client_secret"] = value.clone();
        assert_eq!(partners(json!({"acme": acme})).unwrap_err(), "must be text");

        let mut key = key("a");
        key["sha256"] = value;
        let hash = partners(json!({"acme": partner("acct_acme", &[key])})).unwrap_err();
        assert_eq!(hash, "must be 64 hexadecimal digits");
    }
    for url in ["issuer", "provider_url", "jwks_url", "token_url"] {
        let error = identity(&json!({url: "http//ada:hunter2@idp"})).unwrap_err();
        assert_eq!(error, "must be a URL that begins with http:// or https://");
    }
}

#[test]
fn partners_are_told_apart_and_have_two_keys_at_most() {
    let expired = |id| {
        let mut key = key(id);
        key["expires_at"] = json!("2020-01-01T00:00:00Z");
        key
    };
    let keys = [key("a"), key("b"), expired("c"), expired("d")];
    assert!(partners(json!({"acme": partner("acct_acme", &keys)})).is_ok());

    let short = json!({"id": "a", "sha256": "00"});
    for (settings, line) in [
        (json!({"acme": partner("a", &[key("a"), key("b"), key("c")])}), "acme.keys must have at most 2"),
        (json!({"acme": partner("a", &[key("a"), key("a")])}), "acme.keys has the id a for the second time"),
        (
            json!({"acme": partner("a", &[key("a")]), "globex": partner("g", &[key("a")])}),
            "globex.keys has the id a for the second time",
        ),
        (
            json!({"acme": partner("a", &[]), "globex": partner("a", &[])}),
            "globex.account belongs to another partner already",
        ),
        (json!({"acme": partner("a b", &[])}), "must be 1 to 128 visible ASCII characters"),
        (json!({"acme": partner("a", &[key("a_b")])}), "must be 1 to 64 letters and digits"),
        (json!({"acme": partner("a", &[short])}), "must be 64 hexadecimal digits"),
    ] {
        let error = partners(settings).unwrap_err();
        assert!(error.contains(line), "{error}");
    }
}
