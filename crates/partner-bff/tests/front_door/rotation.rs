//! Keys come and go while the service runs.

use std::fs;
use std::path::Path;
use std::time::Duration;

use service_runtime::Telemetry;
use test_support::{Client, Reply};

use crate::{ALL_SCOPES, Bff, key, report};

/// Asks until the answer has this status: the file is looked at every now and then.
async fn until(client: &Client, status: u16) {
    let asked = tokio::time::timeout(Duration::from_mins(1), async {
        while client.get("/v1/usage").await.status != status {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    assert!(asked.await.is_ok(), "it never was {status}");
}

/// In one step, as whoever serves should see it.
fn write(file: &Path, text: &str) {
    let beside = file.with_extension("new");
    fs::write(&beside, text).expect("a file that can be written");
    fs::rename(&beside, file).expect("a file that can be replaced");
}

#[tokio::test]
async fn a_key_is_replaced_and_revoked_without_a_restart() {
    // The quota must not end the waiting.
    let bff = Bff::with(|settings| settings.plans.clear()).await;
    bff.fake.on("GET /accounts/acct_acme/usage", Reply::Json(report()));
    bff.state.start();
    let [old, new] = ["old", "new"].map(|id| bff.anonymous().with("x-api-key", &format!("tpk_{id}_secret")));
    let [old_key, new_key] = ["old", "new"].map(|id| key(id, "acme", ALL_SCOPES));
    let file = bff.keys_file();

    write(&file, &old_key);
    until(&old, 200).await;
    write(&file, &(old_key.clone() + &new_key));
    until(&new, 200).await;
    assert_eq!(old.get("/v1/usage").await.status, 200, "both are good for a time");

    let revoked = format!("{old_key}revoked_at = 2026-11-20T00:00:00Z\n{new_key}");
    write(&file, &revoked);
    until(&old, 401).await;
    assert_eq!(new.get("/v1/usage").await.status, 200);

    // Half a file, and none at all: the last good one stays. What comes after shows that they were looked at.
    for bad in [Some(&new_key[..40]), None] {
        match bad {
            Some(text) => write(&file, text),
            None => fs::remove_file(&file).unwrap(),
        }
        for _ in 0..20 {
            tokio::time::sleep(Duration::from_millis(5)).await;
            assert_eq!(new.get("/v1/usage").await.status, 200);
        }
    }
    write(&file, &key("newer", "acme", ALL_SCOPES));
    until(&new, 401).await;
}

#[tokio::test]
async fn a_bad_file_ends_the_start_with_one_line() {
    let bff = Bff::start().await;
    let file = bff.keys_file();
    fs::write(&file, key("a", "initech", ALL_SCOPES)).unwrap();
    let settings = {
        let mut settings = crate::settings("http://127.0.0.1:1");
        settings.api_keys.file = Some(file.clone());
        settings
    };
    let refused = partner_bff::AppState::new(&settings, &Telemetry::off())
        .err()
        .expect("it does not start")
        .to_string();
    let expected = r#": key a: there is no partner "initech"; the settings have: acme, globex"#;
    assert_eq!(refused, format!("{}{expected}", file.display()));
}
