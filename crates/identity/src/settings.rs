//! What the operator says about identity: the section `[identity]`, and `[partners.…]` where there are
//! partners.

mod check;
mod exchange;
mod issuers;
mod partners;
mod session;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::fmt::serde::unsigned_duration::friendly::compact::required as friendly;
use jsonwebtoken::Algorithm;
use secrecy::SecretString;
use serde::{Deserialize, Serialize, Serializer};
use url::Url;

pub use exchange::{ExchangeMode, ExchangeSettings};
pub use issuers::IssuerSettings;
pub use partners::{ApiKeysSettings, PartnerSettings, Partners};
pub use session::SessionSettings;

/// The identity provider: how it is called, how it is reached, and what this service is to it; and who else
/// issues tokens that are taken.
#[derive(Clone, Debug, Deserialize, Serialize)]
// Derived as functions, so that `issuers` can look at the whole.
#[serde(deny_unknown_fields, remote = "Self")]
pub struct IdentitySettings {
    /// The name of the provider, as `iss` in its tokens: compared letter by letter.
    #[serde(deserialize_with = "check::issuer")]
    pub issuer: String,
    /// Where the provider is reached, if not where its name says. Endpoints that it announces under its name
    /// are reached here too.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "check::url")]
    pub provider_url: Option<Url>,
    /// Where its keys are, if it does not announce that (OpenID Connect Discovery 1.0).
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "check::endpoint")]
    pub jwks_url: Option<Url>,
    /// Where it issues tokens, if it does not announce that.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "check::endpoint")]
    pub token_url: Option<Url>,
    /// Where it sends people to sign in, if it does not announce that. An address for browsers: `provider_url`
    /// does not apply to it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "check::endpoint")]
    pub authorization_url: Option<Url>,
    /// Where it sends people to sign out, if it does not announce that. An address for browsers too.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "check::endpoint")]
    pub end_session_url: Option<Url>,
    /// What is asked for at a sign-in: `openid` and more, separated by spaces. Some providers give a refresh
    /// token only to who asks for `offline_access`.
    #[serde(default = "default::scopes", deserialize_with = "check::scopes")]
    pub scopes: String,
    /// What `aud` must contain. The name of this service, unless said otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "check::name")]
    pub audience: Option<String>,
    /// The client that this service is to the provider. The name of this service, unless said otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "check::name")]
    pub client_id: Option<String>,
    /// That client's secret.
    #[serde(serialize_with = "redacted", deserialize_with = "check::secret")]
    pub client_secret: SecretString,
    /// The algorithms that the provider signs with. No other is taken, whatever a token says.
    #[serde(default = "default::algorithms", deserialize_with = "check::algorithms")]
    pub algorithms: Vec<SigningAlgorithm>,
    /// How far the provider's clock may be from ours.
    #[serde(
        serialize_with = "friendly::serialize",
        default = "default::leeway",
        deserialize_with = "check::leeway"
    )]
    pub leeway: Duration,
    /// The age at which the provider's keys are fetched anew.
    #[serde(
        serialize_with = "friendly::serialize",
        default = "default::keys_max_age",
        deserialize_with = "check::keys_max_age"
    )]
    pub keys_max_age: Duration,
    /// The age up to which keys are used while the provider cannot be reached.
    #[serde(
        serialize_with = "friendly::serialize",
        default = "default::keys_stale_for",
        deserialize_with = "check::keys_stale_for"
    )]
    pub keys_stale_for: Duration,
    /// Whether a caller has to prove that a token is its own (RFC 9449).
    #[serde(default)]
    pub dpop: DpopMode,
    /// How far the time of such a proof may be from ours.
    #[serde(
        serialize_with = "friendly::serialize",
        default = "default::dpop_leeway",
        deserialize_with = "check::dpop_leeway"
    )]
    pub dpop_leeway: Duration,
    /// How a token becomes one that a domain service takes.
    #[serde(default)]
    pub exchange: ExchangeSettings,
    /// Others whose access tokens are taken too, under names that only the settings know.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub issuers: BTreeMap<String, IssuerSettings>,
}

/// Whether access tokens come with a proof of possession (RFC 9449).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DpopMode {
    /// A token that is bound to a key needs a proof; one that is not is taken without.
    #[default]
    Accepted,
    /// Every token has to be bound to a key and needs a proof.
    Required,
}

mod default {
    use super::{Duration, SigningAlgorithm};

    pub(super) fn scopes() -> String {
        "openid profile".to_owned()
    }
    pub(super) fn dpop_leeway() -> Duration {
        Duration::from_mins(1)
    }

    pub(super) fn algorithms() -> Vec<SigningAlgorithm> {
        vec![SigningAlgorithm::EdDSA, SigningAlgorithm::ES256, SigningAlgorithm::RS256]
    }
    pub(super) fn leeway() -> Duration {
        Duration::from_secs(30)
    }
    pub(super) fn keys_max_age() -> Duration {
        Duration::from_mins(5)
    }
    pub(super) fn keys_stale_for() -> Duration {
        Duration::from_hours(24)
    }
}

/// An algorithm that signs with a private key (RFC 7518, section 3.1; RFC 8037). There are no others here: a
/// shared secret would let whoever can verify also sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[expect(missing_docs, reason = "their names are those of the RFCs")]
pub enum SigningAlgorithm {
    EdDSA,
    ES256,
    ES384,
    PS256,
    PS384,
    PS512,
    RS256,
    RS384,
    RS512,
}

impl From<SigningAlgorithm> for Algorithm {
    fn from(algorithm: SigningAlgorithm) -> Self {
        match algorithm {
            SigningAlgorithm::EdDSA => Self::EdDSA,
            SigningAlgorithm::ES256 => Self::ES256,
            SigningAlgorithm::ES384 => Self::ES384,
            SigningAlgorithm::PS256 => Self::PS256,
            SigningAlgorithm::PS384 => Self::PS384,
            SigningAlgorithm::PS512 => Self::PS512,
            SigningAlgorithm::RS256 => Self::RS256,
            SigningAlgorithm::RS384 => Self::RS384,
            SigningAlgorithm::RS512 => Self::RS512,
        }
    }
}

fn redacted<S: Serializer>(_: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str("[redacted]")
}

#[cfg(test)]
mod tests;
