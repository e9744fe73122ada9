use serde_json::json;

use super::*;

#[test]
fn defaults_are_shown_and_read_back() {
    let shown = serde_json::to_value(StoreSettings::default()).unwrap();
    insta::assert_json_snapshot!(shown, @r#"
    {
      "max_bytes": "64.0 MiB",
      "max_entries": 100000,
      "prefix": "triptych",
      "timeout": "250ms",
      "url": "memory:"
    }
    "#);
    let read: StoreSettings = serde_json::from_value(shown).unwrap();
    assert_eq!(read.out_of_range(), None);
    assert!(serde_json::from_value::<StoreSettings>(json!({"time_out": "1s"})).is_err());
}

#[test]
fn a_place_is_shown_without_its_credential() {
    for (written, shown) in [
        ("memory:", "memory:"),
        ("redis://cache", "redis://cache:6379/0"),
        ("redis://127.0.0.1:7000/3", "redis://127.0.0.1:7000/3"),
        ("redis://:hunter2@cache:6379", "redis://***@cache:6379/0"),
        ("rediss://bff:hunt%40r@[::1]:6380/1/", "rediss://***@[::1]:6380/1"),
        ("redis+cluster://a:1,b,c:3", "redis+cluster://a:1,b:6379,c:3"),
        ("rediss+cluster://bff:hunter2@a:1,b:2/", "rediss+cluster://***@a:1,b:2"),
    ] {
        let settings = StoreSettings::at(written.parse().unwrap());
        assert_eq!(settings.url.to_string(), shown);
        let printed = format!("{settings:?} {}", serde_json::to_string(&settings).unwrap());
        assert!(printed.contains(shown) && !printed.contains("hunt"), "{printed}");
    }
}

#[test]
fn what_is_no_place_is_refused_without_being_quoted() {
    for (written, right) in [
        ("", "must be memory:"),
        ("memory", "must be memory:"),
        ("http://hunter2", "must be memory:"),
        ("redis://", "must be memory:"),
        ("redis://:hunter2@", "must be memory:"),
        ("redis://hunter2@cache", "must have a password with its user"),
        ("redis://:hunter2@cache:65536", "must have ports"),
        ("redis://:hunter2@cache:0", "must have ports"),
        ("redis://:hunt#er2@cache", "must have no query and no fragment"),
        ("redis://:hunter2@a,b", "must name one server"),
        ("redis://:hunter2@cache/x", "must end with the number of a database"),
        ("redis+cluster://:hunter2@a,b/1", "must name no database"),
        ("redis://:hunter%ff@cache", "must be UTF-8"),
        ("redis+cluster://:hunter2@a,,b", "must be memory:"),
    ] {
        let refused =
            serde_json::from_value::<StoreSettings>(json!({"url": written})).unwrap_err().to_string();
        assert!(refused.starts_with(right) && !refused.contains("hunter"), "{written}: {refused}");
    }
}

#[test]
fn what_is_out_of_range_is_named() {
    let default = StoreSettings::default;
    let ca_file = Some(PathBuf::from("ca.pem"));
    let cases = [
        (StoreSettings { max_bytes: ByteSize::b(0), ..default() }, Some("max_bytes")),
        (StoreSettings { max_entries: 0, ..default() }, Some("max_entries")),
        (StoreSettings { timeout: Duration::from_millis(9), ..default() }, Some("timeout")),
        (StoreSettings { timeout: Duration::from_secs(11), ..default() }, Some("timeout")),
        (StoreSettings { prefix: String::new(), ..default() }, Some("prefix")),
        (StoreSettings { prefix: "a{b}".into(), ..default() }, Some("prefix")),
        (StoreSettings { ca_file: ca_file.clone(), ..default() }, Some("ca_file")),
        (StoreSettings { ca_file, url: "rediss://cache".parse().unwrap(), ..default() }, None),
    ];
    for (settings, expected) in cases {
        assert_eq!(settings.out_of_range().map(|(key, _)| key), expected, "{settings:?}");
    }
}
