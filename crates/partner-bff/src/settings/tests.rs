use serde_json::json;
use service_runtime::settings::load;

use super::*;

/// Loads the settings of a service that has all it needs, with these variables beside.
fn with(variables: &[(&str, &str)]) -> Result<Settings, String> {
    let needed = [
        ("IDENTITY__ISSUER", "http://127.0.0.1:3007"),
        ("IDENTITY__CLIENT_SECRET", "hush"),
        ("UPSTREAMS__ORDERS__URL", "http://127.0.0.1:3002"),
        ("UPSTREAMS__CATALOG__URL", "http://127.0.0.1:3003"),
        ("UPSTREAMS__USAGE__URL", "http://127.0.0.1:3006"),
    ];
    let all =
        needed.iter().filter(|(name, _)| variables.iter().all(|(other, _)| name != other)).chain(variables);
    let env = all.map(|(name, value)| (format!("BFF__{name}"), (*value).to_owned()));
    load(None, env).map_err(|error| error.to_string())
}

#[test]
fn defaults() {
    let settings = with(&[]).unwrap();
    assert_eq!(settings.listen.port(), 8083);
    assert_eq!(settings.admin.listen.port(), 9083);
    assert_eq!(settings.public_url.join(""), "http://127.0.0.1:8080/partner");
    assert_eq!(settings.requests.deadline.as_secs(), 10);
    assert_eq!(settings.requests.optional_deadline.as_secs(), 5);
    assert_eq!(settings.upstreams.orders.timeout.as_secs(), 5);
    assert!(settings.versions.v1.is_none());
    assert_eq!(
        settings.plans["default"],
        serde_json::from_value(json!({"requests": 600, "per": "1m"})).unwrap()
    );
    assert_eq!(settings.api_keys.file, None);
}

#[test]
fn what_cannot_be_is_one_clear_line() {
    let deprecated = ("VERSIONS__V1__DEPRECATED_AT", "2026-12-01T00:00:00Z");
    let mut lines = vec![];
    for variables in [
        vec![("VERSIONS__V1__SUNSET", "2027-01-01T00:00:00Z")],
        vec![deprecated, ("VERSIONS__V1__SUNSET", "2026-11-30T23:59:59Z")],
        vec![("VERSIONS__V1__DEPRECATED_AT", "1969-12-31T23:59:59Z")],
        vec![deprecated, ("VERSIONS__V1__LINK", "ftp://shop.example")],
        vec![deprecated, ("VERSIONS__V1__LINK", "v2")],
        vec![("VERSIONS__V2__DEPRECATED_AT", "2026-12-01T00:00:00Z")],
        vec![("UPSTREAMS__USAGE__URL", "ftp://127.0.0.1")],
        vec![("REQUESTS__DEADLINE", "1h")],
        vec![("REQUESTS__DEADLINE", "4s")],
        vec![("PUBLIC_URL", "partner")],
        vec![("PLANS__GOLD__REQUESTS", "10")],
        vec![("PLANS__DEFAULT__PER", "1ms")],
        vec![("PLANS__DEFAULT__REQUESTS", "100000000")],
        vec![
            ("PARTNERS__ACME__ACCOUNT", "a"),
            ("PARTNERS__ACME__CLIENT_ID", "a"),
            ("PARTNERS__ACME__CLIENT_SECRET", "a"),
            ("PARTNERS__ACME__PLAN", "gold"),
        ],
        vec![("API_KEYS__LOOK_EVERY", "1ms")],
    ] {
        lines.push(with(&variables).unwrap_err());
    }
    insta::assert_snapshot!(lines.join("\n"), @r#"
    versions.v1.deprecated_at: missing; set it in a settings file or as BFF__VERSIONS__V1__DEPRECATED_AT
    versions.v1.sunset (BFF__VERSIONS__V1__SUNSET): must not be before deprecated_at
    versions.v1.deprecated_at (BFF__VERSIONS__V1__DEPRECATED_AT): must not be before 1970
    versions.v1.link (BFF__VERSIONS__V1__LINK): must begin with http:// or https://
    versions.v1.link (BFF__VERSIONS__V1__LINK): relative URL without a base: "v2"
    versions.v2 (BFF__VERSIONS__V2__DEPRECATED_AT): unknown key; this section may have: v1
    upstreams.usage.url (BFF__UPSTREAMS__USAGE__URL): must begin with http:// or https://
    requests.deadline (BFF__REQUESTS__DEADLINE): must be from 10ms to 10m
    requests.optional_deadline (built-in defaults): must be from 10ms to deadline, which is 4s
    public_url (BFF__PUBLIC_URL): relative URL without a base: "partner"
    plans.gold.per: missing; set it in a settings file or as BFF__PLANS__GOLD__PER
    plans.default.per (BFF__PLANS__DEFAULT__PER): must be whole seconds from 1s to 31 days (744h)
    plans.default.requests (BFF__PLANS__DEFAULT__REQUESTS): must be at most 100000 in a second: here 6000000
    partners.acme.plan (BFF__PARTNERS__ACME__PLAN): there is no such plan; there are: default
    api_keys.look_every (BFF__API_KEYS__LOOK_EVERY): must be between 10ms and 1h
    "#);
    assert!(with(&[("VERSIONS__V1__DEPRECATED_AT", "soon")]).is_err());
    assert!(with(&[deprecated, ("VERSIONS__V1__SUNSET", deprecated.1)]).is_ok(), "the end may come at once");
}

#[test]
fn the_keys_file_is_found_from_anywhere() {
    let directory = tempfile::TempDir::new().unwrap();
    let file = directory.path().join("partner-bff.toml");
    std::fs::write(&file, "[api_keys]\nfile = \"keys/partner-keys.toml\"\n").unwrap();
    let load = |file: Option<&Path>, name: &str| {
        let env = [
            ("IDENTITY__ISSUER", "http://127.0.0.1:3007"),
            ("IDENTITY__CLIENT_SECRET", "hush"),
            ("UPSTREAMS__ORDERS__URL", "http://127.0.0.1:3002"),
            ("UPSTREAMS__CATALOG__URL", "http://127.0.0.1:3003"),
            ("UPSTREAMS__USAGE__URL", "http://127.0.0.1:3006"),
            ("API_KEYS__FILE", name),
        ];
        let env = env.iter().filter(|(_, value)| !value.is_empty());
        let env = env.map(|(name, value)| (format!("BFF__{name}"), (*value).to_owned()));
        load::<Settings>(file, env).unwrap().api_keys.file.unwrap()
    };
    assert_eq!(load(Some(&file), ""), directory.path().join("keys/partner-keys.toml"));
    assert_eq!(load(Some(&file), "other.toml"), directory.path().join("other.toml"));
    assert_eq!(load(Some(&file), "/run/secrets/keys.toml"), Path::new("/run/secrets/keys.toml"));
    assert_eq!(load(None, "other.toml"), Path::new("other.toml"));
}
