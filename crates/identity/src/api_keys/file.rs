//! The keys file: its form, and what must be true of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest;
use jiff::Timestamp;
use request_context::Subject;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::SecretHash;
use crate::Partners;

/// How many keys of one partner are good at the same time: two, so that one can be replaced by another.
pub(super) const ACTIVE_KEYS: usize = 2;
/// The largest file, in bytes: some thousands of keys.
const MAX_FILE: u64 = 1 << 20;

/// Why a keys file cannot be used, or not be changed as it should: one line that says what and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct KeyFileError(pub(super) String);

/// One key of a keys file: `tpk_<id>_<secret>`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiKey {
    /// Its public part: letters and digits.
    #[serde(deserialize_with = "key_id")]
    pub id: String,
    /// The partner whom it stands for.
    pub partner: String,
    /// The SHA-256 of its secret part.
    pub sha256: SecretHash,
    /// What it allows.
    pub scopes: Vec<String>,
    /// When it was made.
    #[serde(deserialize_with = "moment")]
    pub created_at: Timestamp,
    /// The moment from which it is refused, if there is one.
    #[serde(default, deserialize_with = "maybe_moment")]
    pub expires_at: Option<Timestamp>,
    /// The moment from which it is refused, if somebody revoked it.
    #[serde(default, deserialize_with = "maybe_moment")]
    pub revoked_at: Option<Timestamp>,
}

/// Whether a key is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words say it")]
pub enum KeyState {
    Active,
    Expired,
    Revoked,
}

impl ApiKey {
    /// Whether it is good at this moment.
    pub fn state(&self, now: Timestamp) -> KeyState {
        let past = |at: Option<Timestamp>| at.is_some_and(|at| now >= at);
        match (past(self.revoked_at), past(self.expires_at)) {
            (true, _) => KeyState::Revoked,
            (false, true) => KeyState::Expired,
            (false, false) => KeyState::Active,
        }
    }
}

/// What a key may name: partners and scopes that exist.
pub(super) struct Rules {
    partners: BTreeMap<String, Subject>,
    scopes: Vec<&'static str>,
}

impl Rules {
    pub(super) fn new(partners: &Partners, scopes: &[&'static str]) -> Self {
        let partners = partners.iter().map(|(name, partner)| (name.to_owned(), partner.subject()));
        Self { partners: partners.collect(), scopes: scopes.to_vec() }
    }

    /// The account of a partner.
    pub(super) fn account(&self, partner: &str) -> Option<&Subject> {
        self.partners.get(partner)
    }

    pub(super) fn check_partner(&self, partner: &str) -> Result<(), String> {
        if self.partners.contains_key(partner) {
            return Ok(());
        }
        let known = self.partners.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        Err(format!("there is no partner {partner:?}; the settings have: {known}"))
    }

    pub(super) fn check_scopes(&self, scopes: &[String]) -> Result<(), String> {
        let known = self.scopes.join(", ");
        match scopes.iter().find(|scope| !self.scopes.contains(&scope.as_str())) {
            Some(scope) => Err(format!("there is no scope {scope:?}; there are: {known}")),
            None if scopes.is_empty() => Err(format!("it needs at least one scope of: {known}")),
            None => Ok(()),
        }
    }

    /// What is no longer good is history: its partner, or its scopes, may be gone.
    fn check(&self, keys: &[ApiKey], now: Timestamp) -> Result<(), String> {
        let mut ids = BTreeSet::new();
        if let Some(key) = keys.iter().find(|key| !ids.insert(&key.id)) {
            return Err(format!("the id {} is there twice", key.id));
        }
        let mut active = BTreeMap::<_, usize>::new();
        for key in keys.iter().filter(|key| key.state(now) == KeyState::Active) {
            self.check_partner(&key.partner)
                .and_then(|()| self.check_scopes(&key.scopes))
                .map_err(|problem| format!("key {}: {problem}", key.id))?;
            let count = active.entry(&key.partner).or_default();
            *count += 1;
            if *count > ACTIVE_KEYS {
                return Err(format!("{} has more than {ACTIVE_KEYS} active keys: revoke one", key.partner));
            }
        }
        Ok(())
    }
}

/// What a keys file holds.
pub(super) struct Contents {
    pub(super) path: PathBuf,
    pub(super) text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default)]
    key: Vec<ApiKey>,
}

impl Contents {
    pub(super) fn read(path: &Path) -> Result<Self, KeyFileError> {
        let fault =
            |problem: &dyn Display| KeyFileError(format!("cannot read {}: {problem}", path.display()));
        let mut text = String::new();
        let file = File::open(path).map_err(|error| fault(&error))?;
        file.take(MAX_FILE + 1).read_to_string(&mut text).map_err(|error| fault(&error))?;
        if text.len() as u64 > MAX_FILE {
            return Err(fault(&"it is larger than 1 MiB"));
        }
        Ok(Self { path: path.to_owned(), text })
    }

    /// Tells one content from another.
    pub(super) fn digest(&self) -> [u8; 32] {
        let digest = digest::digest(&digest::SHA256, self.text.as_bytes());
        digest.as_ref().try_into().expect("SHA-256 has 32 bytes")
    }

    /// Its keys, whatever they name.
    pub(super) fn keys(&self) -> Result<Vec<ApiKey>, KeyFileError> {
        let document: Document = toml::from_str(&self.text).map_err(|error| {
            let before = error.span().and_then(|span| self.text.get(..span.start)).unwrap_or("");
            let line = before.matches('\n').count() + 1;
            let message = error.message().split_whitespace().collect::<Vec<_>>().join(" ");
            KeyFileError(format!("{} line {line}: {message}", self.path.display()))
        })?;
        Ok(document.key)
    }

    /// Its keys, if all that are good name what exists.
    pub(super) fn checked(&self, rules: &Rules, now: Timestamp) -> Result<Vec<ApiKey>, KeyFileError> {
        let keys = self.keys()?;
        let checked = rules.check(&keys, now);
        checked.map_err(|problem| KeyFileError(format!("{}: {problem}", self.path.display())))?;
        Ok(keys)
    }
}

fn key_id<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let id = String::deserialize(from)?;
    let plain = (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric());
    plain.then_some(id).ok_or_else(|| D::Error::custom("an id must be 1 to 64 letters and digits"))
}

/// A moment as TOML writes it, or as text.
fn moment<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
    let text = match toml::Value::deserialize(from)? {
        toml::Value::Datetime(at) => at.to_string(),
        toml::Value::String(text) => text,
        _ => String::new(),
    };
    text.parse().map_err(|_| D::Error::custom("must be a moment with its offset, as 2026-11-22T10:00:00Z"))
}

fn maybe_moment<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
    moment(from).map(Some)
}
