//! What the operator says about browser sessions: the section `[session]`.

use std::time::Duration;

use jiff::fmt::serde::unsigned_duration::friendly::compact as friendly;
use request_context::PublicUrl;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use store::{BadStore, StoreSettings};

use crate::BadSession;
use crate::seal::SealKey;
use crate::sessions::Cookie;

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);

/// How browser sessions are kept, and for how long.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct SessionSettings {
    /// What sessions are encrypted with: `openssl rand -base64 32`. Needed unless they are kept in memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<SealKey>,
    /// A second key that opens and seals nothing: the one before, or the one to come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_key: Option<SealKey>,
    /// How long a session lasts without a request.
    #[serde(with = "friendly::required")]
    pub idle_timeout: Duration,
    /// How long a session lasts, whatever is done with it.
    #[serde(with = "friendly::required")]
    pub absolute_timeout: Duration,
    /// What is left when a page is told that its session ends soon.
    #[serde(with = "friendly::required")]
    pub ends_soon: Duration,
    /// Says that there is one replica only, so that sessions may be kept in its memory.
    pub single_replica: bool,
    /// The path, on our origin, to which the browser comes back when it has signed out.
    #[serde(deserialize_with = "path")]
    pub after_logout: String,
    /// Where sessions are kept, if not in the store of everything else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub store: Option<StoreSettings>,
}

impl Default for SessionSettings {
    fn default() -> Self {
        Self {
            key: None,
            previous_key: None,
            idle_timeout: Duration::from_mins(30),
            absolute_timeout: Duration::from_hours(12),
            ends_soon: Duration::from_mins(5),
            single_replica: false,
            after_logout: "/".into(),
            store: None,
        }
    }
}

impl SessionSettings {
    /// What is wrong with these settings, for a service at `public_url` that keeps everything else in `store`.
    pub fn check(&self, public_url: &PublicUrl, store: &StoreSettings) -> Result<(), BadSession> {
        if let Some(own) = &self.store
            && let Some((key, problem)) = own.out_of_range()
        {
            return Err(BadStore { key, problem: problem.into() }.into());
        }
        self.check_with(public_url, self.store.as_ref().unwrap_or(store).is_shared())
    }

    /// The same, once it is known whether other replicas see what is stored.
    pub(crate) fn check_with(&self, public_url: &PublicUrl, shared: bool) -> Result<(), BadSession> {
        let development = Cookie::of(public_url)?.is_for_development();
        let (idle, absolute) = (self.idle_timeout, self.absolute_timeout);
        let rules = [
            ((MINUTE..=24 * HOUR).contains(&idle), "idle_timeout", "must be between 1m and 24h"),
            (
                (5 * MINUTE..=720 * HOUR).contains(&absolute),
                "absolute_timeout",
                "must be between 5m and 720h",
            ),
            (idle <= absolute, "idle_timeout", "must not be longer than absolute_timeout"),
            (self.ends_soon < idle, "ends_soon", "must be shorter than idle_timeout"),
            (self.key.is_some() || self.previous_key.is_none(), "previous_key", "needs a key"),
            (
                self.key.is_some() || !shared,
                "key",
                "must be set when sessions are kept in Redis, to what `openssl rand -base64 32` prints: all replicas \
                 need the same",
            ),
            (
                shared || development || self.single_replica,
                "single_replica",
                "must be true when sessions are kept in memory, which no other replica sees; or name a Redis in \
                 session.store.url",
            ),
        ];
        match rules.into_iter().find(|(good, ..)| !good) {
            Some((_, key, problem)) => Err(BadSession { key, problem: problem.into() }),
            None => Ok(()),
        }
    }
}

impl From<BadStore> for BadSession {
    fn from(bad: BadStore) -> Self {
        Self { key: "store", problem: bad.to_string() }
    }
}

fn path<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let path = String::deserialize(from)?;
    let plain = path.len() <= 256 && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let ours = path.starts_with('/') && !path.starts_with("//");
    (plain && ours)
        .then_some(path)
        .ok_or_else(|| D::Error::custom("must be a path that begins with one slash, such as /goodbye"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use url::Url;

    use super::*;

    fn check(changes: Value, public_url: &str, store: &str) -> Result<(), String> {
        let settings: SessionSettings = serde_json::from_value(changes).map_err(|error| error.to_string())?;
        let public_url = Url::parse(public_url).unwrap().try_into().unwrap();
        settings.check(&public_url, &StoreSettings::at(store.parse().unwrap())).map_err(|bad| bad.to_string())
    }

    #[test]
    fn every_default_is_shown_and_no_key_is() {
        let key = "MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI=";
        let settings: SessionSettings =
            serde_json::from_value(json!({"key": key, "previous_key": key})).unwrap();
        let shown = json!({
            "key": "[redacted]", "previous_key": "[redacted]", "idle_timeout": "30m", "absolute_timeout": "12h",
            "ends_soon": "5m", "single_replica": false, "after_logout": "/",
        });
        assert_eq!(serde_json::to_value(&settings).unwrap(), shown);
        assert!(!format!("{settings:?}").contains(key));
    }

    #[test]
    fn what_cannot_be_is_one_clear_line() {
        const TLS: &str = "https://shop.example/web";
        const LOCAL: &str = "http://127.0.0.1:8080/web";
        const REDIS: &str = "redis://127.0.0.1:6379/0";
        let key = "MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI=";
        for (changes, public_url, store, line) in [
            (json!({}), LOCAL, "memory:", ""),
            (json!({"single_replica": true}), TLS, "memory:", ""),
            (json!({"key": key}), TLS, REDIS, ""),
            (json!({"key": key, "store": {"url": REDIS}}), TLS, "memory:", ""),
            (json!({}), TLS, "memory:", "single_replica: must be true when sessions are kept in memory"),
            (json!({}), LOCAL, REDIS, "key: must be set when sessions are kept in Redis"),
            (json!({"key": key}), "http://shop.example/web", REDIS, "public_url: must begin with https://"),
            (json!({"previous_key": key}), LOCAL, "memory:", "previous_key: needs a key"),
            (json!({"key": "hush"}), LOCAL, "memory:", "must be 32 bytes in base64"),
            (json!({"idle_timeout": "1s"}), LOCAL, "memory:", "idle_timeout: must be between 1m and 24h"),
            (
                json!({"absolute_timeout": "721h"}),
                LOCAL,
                "memory:",
                "absolute_timeout: must be between 5m and 720h",
            ),
            (
                json!({"idle_timeout": "2h", "absolute_timeout": "1h"}),
                LOCAL,
                "memory:",
                "idle_timeout: must not be longer than absolute_timeout",
            ),
            (json!({"ends_soon": "30m"}), LOCAL, "memory:", "ends_soon: must be shorter than idle_timeout"),
            (
                json!({"store": {"timeout": "1h"}}),
                LOCAL,
                "memory:",
                "store: timeout: must be between 10ms and 10s",
            ),
            (
                json!({"after_logout": "//evil.example"}),
                LOCAL,
                "memory:",
                "must be a path that begins with one slash",
            ),
            (json!({"after_logout": "/\\evil.example"}), LOCAL, "memory:", "must be a path that begins with"),
            (json!({"secret": 1}), LOCAL, "memory:", "unknown field `secret`"),
        ] {
            let found = check(changes.clone(), public_url, store).err().unwrap_or_default();
            assert_eq!(found.is_empty(), line.is_empty(), "{changes} {found}");
            assert!(found.contains(line), "{changes} {found}");
        }
    }
}
