//! What the operator says about browser sessions: the section `[session]`.

use std::time::Duration;

use jiff::fmt::serde::unsigned_duration::friendly::compact as friendly;
use serde::{Deserialize, Serialize};
use store::StoreSettings;

use crate::seal::SealKey;

/// How browser sessions are kept, and for how long.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct SessionSettings {
    /// What sessions are encrypted with: `openssl rand -base64 32`. Needed unless they are kept in memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<SealKey>,
    /// The key before that, for as long as there are sessions from its time.
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
    /// Other origins of this site whose pages may write with the session cookie.
    pub allowed_origins: Vec<String>,
    /// The path, on our origin, to which the browser comes back when it has signed out.
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
            allowed_origins: vec![],
            after_logout: "/".into(),
            store: None,
        }
    }
}
