//! The partners: their accounts, and the keys that stand for them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use aws_lc_rs::digest;
use jiff::Timestamp;
use request_context::Subject;
use secrecy::SecretString;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{check, redacted};

/// How many keys of one partner are good at the same time: two, so that one can be replaced by another.
const ACTIVE_KEYS: usize = 2;

/// The partners by name.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(try_from = "BTreeMap<String, PartnerSettings>")]
pub struct Partners(BTreeMap<String, PartnerSettings>);

/// One partner.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PartnerSettings {
    /// The partner's account: `sub` of its tokens.
    #[serde(deserialize_with = "account")]
    pub account: String,
    /// The client that the account is to the identity provider.
    #[serde(deserialize_with = "check::required_name")]
    pub client_id: String,
    /// That client's secret.
    #[serde(serialize_with = "redacted", deserialize_with = "check::secret")]
    pub client_secret: SecretString,
    /// The API keys that stand for the account.
    #[serde(default)]
    pub keys: Vec<ApiKeySettings>,
}

/// One API key: `tpk_<id>_<secret>`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ApiKeySettings {
    /// Its public part: letters and digits.
    #[serde(deserialize_with = "key_id")]
    pub id: String,
    /// The SHA-256 of its secret part.
    pub sha256: SecretHash,
    /// What it allows.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// The moment from which it is refused, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// The SHA-256 of a secret of at least 256 random bits, as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SecretHash(pub(crate) [u8; 32]);

impl Partners {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &PartnerSettings> {
        self.0.values()
    }
}

impl TryFrom<BTreeMap<String, PartnerSettings>> for Partners {
    type Error = String;

    fn try_from(partners: BTreeMap<String, PartnerSettings>) -> Result<Self, String> {
        let now = Timestamp::now();
        let (mut ids, mut accounts) = (BTreeSet::new(), BTreeSet::new());
        for (name, partner) in &partners {
            if !accounts.insert(&partner.account) {
                return Err(format!("{name}.account belongs to another partner already"));
            }
            if let Some(key) = partner.keys.iter().find(|key| !ids.insert(&key.id)) {
                return Err(format!("{name}.keys has the id {} for the second time", key.id));
            }
            if partner.keys.iter().filter(|key| !key.has_expired(now)).count() > ACTIVE_KEYS {
                return Err(format!("{name}.keys must have at most {ACTIVE_KEYS} that have not expired"));
            }
        }
        Ok(Self(partners))
    }
}

impl PartnerSettings {
    /// The account as the subject of its tokens.
    pub(crate) fn subject(&self) -> Subject {
        Subject::parse(&self.account).expect("the settings were checked")
    }
}

impl ApiKeySettings {
    fn has_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|at| now >= at)
    }
}

fn account<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let account = String::deserialize(from)?;
    match Subject::parse(&account) {
        Some(_) => Ok(account),
        None => Err(D::Error::custom("must be 1 to 128 visible ASCII characters")),
    }
}

fn key_id<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let id = String::deserialize(from)?;
    let plain = (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric());
    plain.then_some(id).ok_or_else(|| D::Error::custom("must be 1 to 64 letters and digits"))
}

impl SecretHash {
    /// The hash of the secret part of a key.
    pub fn of(secret: &str) -> Self {
        let hash = digest::digest(&digest::SHA256, secret.as_bytes());
        Self(hash.as_ref().try_into().expect("SHA-256 has 32 bytes"))
    }
}

impl fmt::Display for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for SecretHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SecretHash {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        // Nor is what stands there by mistake quoted: it may be the secret itself.
        let text = String::deserialize(from).ok();
        let hash = text.and_then(|text| parse(&text)).map(Self);
        hash.ok_or_else(|| D::Error::custom("must be 64 hexadecimal digits"))
    }
}

fn parse(text: &str) -> Option<[u8; 32]> {
    let mut hash = [0; 32];
    if text.len() != 2 * hash.len() || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    for (at, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()?;
    }
    Some(hash)
}
