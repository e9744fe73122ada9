//! The partners, and where the keys are that stand for them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use jiff::fmt::serde::unsigned_duration::friendly::compact::required as friendly;
use request_context::Subject;
use secrecy::SecretString;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use super::{check, redacted};

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
    /// The plan that says how much the partner may ask for; `default` if none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
}

/// Where the partners' API keys are.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct ApiKeysSettings {
    /// The keys file, from the directory of the settings file if it is a relative path. Without one there are no API
    /// keys, and partners come with tokens alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
    /// How often it is looked at.
    #[serde(serialize_with = "friendly::serialize", deserialize_with = "check::looked_at_every")]
    pub look_every: Duration,
}

impl Default for ApiKeysSettings {
    fn default() -> Self {
        Self { file: None, look_every: Duration::from_secs(2) }
    }
}

impl Partners {
    /// Each with its name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &PartnerSettings)> {
        self.0.iter().map(|(name, partner)| (name.as_str(), partner))
    }
}

impl TryFrom<BTreeMap<String, PartnerSettings>> for Partners {
    type Error = String;

    fn try_from(partners: BTreeMap<String, PartnerSettings>) -> Result<Self, String> {
        let mut accounts = BTreeSet::new();
        let twice = partners.iter().find(|(_, partner)| !accounts.insert(&partner.account));
        match twice {
            Some((name, _)) => Err(format!("{name}.account belongs to another partner already")),
            None => Ok(Self(partners)),
        }
    }
}

impl PartnerSettings {
    /// The account as the subject of its tokens.
    pub fn subject(&self) -> Subject {
        Subject::parse(&self.account).expect("the settings were checked")
    }
}

fn account<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let account = String::deserialize(from)?;
    match Subject::parse(&account) {
        Some(_) => Ok(account),
        None => Err(D::Error::custom("must be 1 to 128 visible ASCII characters")),
    }
}
