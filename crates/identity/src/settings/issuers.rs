//! `[identity.issuers.<name>]`, and how `[identity]` is one of them.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::fmt::serde::unsigned_duration::friendly::compact::required as friendly;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use url::Url;

use super::{IdentitySettings, SigningAlgorithm, check, default};

// Not flattened into `IdentitySettings`: serde's `flatten` and `deny_unknown_fields` exclude each other.
/// Somebody whose access tokens are taken. Each setting means what it means in [`IdentitySettings`].
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct IssuerSettings {
    /// Its name, as `iss` in its tokens: compared letter by letter.
    #[serde(deserialize_with = "check::issuer")]
    pub issuer: String,
    /// Where it is reached, if not where its name says.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "check::url")]
    pub provider_url: Option<Url>,
    /// Where its keys are, if it does not announce that.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "check::endpoint")]
    pub jwks_url: Option<Url>,
    /// What `aud` of its tokens must contain. The name of this service, unless said otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "check::name")]
    pub audience: Option<String>,
    /// The algorithms that it signs with. No other is taken, whatever a token says.
    #[serde(default = "default::algorithms", deserialize_with = "check::algorithms")]
    pub algorithms: Vec<SigningAlgorithm>,
    /// How far its clock may be from ours.
    #[serde(
        serialize_with = "friendly::serialize",
        default = "default::leeway",
        deserialize_with = "check::leeway"
    )]
    pub leeway: Duration,
    /// The age at which its keys are fetched anew.
    #[serde(
        serialize_with = "friendly::serialize",
        default = "default::keys_max_age",
        deserialize_with = "check::keys_max_age"
    )]
    pub keys_max_age: Duration,
    /// The age up to which keys are used while it cannot be reached.
    #[serde(
        serialize_with = "friendly::serialize",
        default = "default::keys_stale_for",
        deserialize_with = "check::keys_stale_for"
    )]
    pub keys_stale_for: Duration,
}

impl IssuerSettings {
    /// Its name as a URL.
    pub(crate) fn name(&self) -> Url {
        Url::parse(&self.issuer).expect("the settings were checked")
    }

    /// Where it is reached.
    pub(crate) fn found_at(&self) -> Url {
        self.provider_url.clone().unwrap_or_else(|| self.name())
    }
}

impl IdentitySettings {
    /// The provider of this service, as an issuer like any other.
    pub(crate) fn own_issuer(&self) -> IssuerSettings {
        IssuerSettings {
            issuer: self.issuer.clone(),
            provider_url: self.provider_url.clone(),
            jwks_url: self.jwks_url.clone(),
            audience: self.audience.clone(),
            algorithms: self.algorithms.clone(),
            leeway: self.leeway,
            keys_max_age: self.keys_max_age,
            keys_stale_for: self.keys_stale_for,
        }
    }

    /// The key in `issuers` whose name another issuer has already. A token could not choose between the two.
    fn doubled_issuer(&self) -> Option<&str> {
        let mut names = BTreeSet::from([&self.issuer]);
        let mut doubled = self.issuers.iter().filter(|(_, other)| !names.insert(&other.issuer));
        doubled.next().map(|(key, _)| key.as_str())
    }
}

impl<'de> Deserialize<'de> for IdentitySettings {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        // The derived function, of the same name: an inherent one comes before a trait's.
        let settings = Self::deserialize(from)?;
        let doubled = |key| format!("issuers.{key}.issuer belongs to another issuer already");
        settings.doubled_issuer().map(doubled).map_or(Ok(()), |line| Err(D::Error::custom(line)))?;
        Ok(settings)
    }
}

impl Serialize for IdentitySettings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}
