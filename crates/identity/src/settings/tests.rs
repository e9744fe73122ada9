use serde_json::{Value, json};

use super::*;
use crate::SecretHash;

fn identity(changes: &Value) -> Result<IdentitySettings, String> {
    let mut settings = json!({"issuer": "http://127.0.0.1:3007", "client_secret": "hush"});
    for (key, value) in changes.as_object().unwrap() {
        settings[key] = value.clone();
    }
    serde_json::from_value(settings).map_err(|error| error.to_string())
}

/// Settings with these issuers besides: x0, x1, …
fn issuers(names: &[&str]) -> Value {
    let issuers = names.iter().enumerate().map(|(n, name)| (format!("x{n}"), json!({"issuer": name})));
    json!({"issuers": Value::Object(issuers.collect())})
}

fn issuer_with(key: &str, value: &str) -> Value {
    let mut settings = issuers(&["http://a"]);
    settings["issuers"]["x0"][key] = json!(value);
    settings
}

#[test]
fn an_issuer_has_the_defaults_of_the_provider() {
    let settings = identity(&issuers(&["http://a", "http://a/"])).unwrap();
    let shown = serde_json::to_value(&settings).unwrap();
    let mut own = serde_json::to_value(settings.own_issuer()).unwrap();
    own["issuer"] = json!("http://a");
    assert_eq!(shown["issuers"]["x0"], own);
    assert_eq!(shown["issuers"]["x1"]["issuer"], "http://a/");
}

fn partners(value: Value) -> Result<Partners, String> {
    serde_json::from_value(value).map_err(|error| error.to_string())
}

fn partner(account: &str) -> Value {
    json!({"account": account, "client_id": "acme", "client_secret": "hush"})
}

#[test]
fn every_default_is_shown_and_no_secret_is() {
    let settings = identity(&json!({})).unwrap();
    let shown = json!({
        "issuer": "http://127.0.0.1:3007", "client_secret": "[redacted]",
        "algorithms": ["EdDSA", "ES256", "RS256"], "leeway": "30s", "keys_max_age": "5m", "keys_stale_for": "24h",
        "dpop": "accepted", "dpop_leeway": "1m",
        "scopes": "openid profile",
        "exchange": {"mode": "exchange"},
    });
    assert_eq!(serde_json::to_value(&settings).unwrap(), shown);
    assert!(!format!("{settings:?}").contains("hush"));

    let settings = partners(json!({"acme": partner("acct_acme")})).unwrap();
    let shown = serde_json::to_value(&settings).unwrap();
    let acme = json!({"account": "acct_acme", "client_id": "acme", "client_secret": "[redacted]"});
    assert_eq!(shown, json!({"acme": acme}));
    let keys = serde_json::to_value(ApiKeysSettings::default()).unwrap();
    assert_eq!(keys, json!({"look_every": "2s"}));
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
        (
            json!({"authorization_url": "javascript:alert(1)"}),
            "must be a URL that begins with http:// or https://",
        ),
        (json!({"end_session_url": "http://idp/end#x"}), "must be a URL without fragment"),
        (json!({"scopes": ""}), "must be scopes separated by one space each, `openid` among them"),
        (json!({"scopes": "profile"}), "must be scopes separated by one space each, `openid` among them"),
        (json!({"scopes": "openid  profile"}), "must be scopes separated by one space each"),
        (json!({"scopes": "openid \"profile\""}), "must be scopes separated by one space each"),
        (json!({"jwks": "http://idp"}), "unknown field `jwks`"),
        (json!({"dpop": "off"}), "unknown variant `off`, expected `accepted` or `required`"),
        (json!({"dpop_leeway": "1s"}), "must be between 5s and 5m"),
        (json!({"issuers": {"b": {}}}), "missing field `issuer`"),
        (issuers(&["shop"]), "must be a URL that begins with http:// or https://"),
        (issuer_with("client_secret", "hush"), "unknown field `client_secret`"),
        (issuer_with("leeway", "6m"), "must be between 0s and 5m"),
        (issuers(&["http://127.0.0.1:3007"]), "issuers.x0.issuer belongs to another issuer already"),
        (issuers(&["http://a", "http://a"]), "issuers.x1.issuer belongs to another issuer already"),
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

        let mut acme = partner("acct_acme");
        acme["client_secret"] = value.clone();
        assert_eq!(partners(json!({"acme": acme})).unwrap_err(), "must be text");

        let hash = serde_json::from_value::<SecretHash>(value).unwrap_err().to_string();
        assert_eq!(hash, "must be 64 hexadecimal digits");
    }
    for url in ["issuer", "provider_url", "jwks_url", "token_url", "authorization_url", "end_session_url"] {
        let error = identity(&json!({url: "http//ada:hunter2@idp"})).unwrap_err();
        assert_eq!(error, "must be a URL that begins with http:// or https://");
    }
}

#[test]
fn partners_are_told_apart() {
    for (settings, line) in [
        (
            json!({"acme": partner("a"), "globex": partner("a")}),
            "globex.account belongs to another partner already",
        ),
        (json!({"acme": partner("a b")}), "must be 1 to 128 visible ASCII characters"),
    ] {
        let error = partners(settings).unwrap_err();
        assert!(error.contains(line), "{error}");
    }
    let keys = |every: &str| serde_json::from_value::<ApiKeysSettings>(json!({"look_every": every}));
    assert!(keys("10ms").is_ok() && keys("1h").is_ok());
    assert!(keys("9ms").unwrap_err().to_string().contains("must be between 10ms and 1h"));
}
