//! How a token becomes one that a domain service takes: the section `[identity.exchange]`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::check;

/// How the tokens of callers, and our own, reach the domain services.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(try_from = "Unchecked")]
pub struct ExchangeSettings {
    /// Whether they are exchanged.
    pub mode: ExchangeMode,
    /// What a service is called in tokens for it, where that is not its name in `[upstreams]`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub audiences: BTreeMap<String, String>,
}

/// What happens to a token on its way to a domain service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ExchangeMode {
    /// Each service gets a token for itself alone (RFC 8693).
    #[default]
    Exchange,
    /// Every service gets the token as it is: for providers that exchange none, and services in its audience.
    PassThrough,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unchecked {
    #[serde(default)]
    mode: ExchangeMode,
    #[serde(default)]
    audiences: BTreeMap<String, String>,
}

impl TryFrom<Unchecked> for ExchangeSettings {
    type Error = String;

    fn try_from(Unchecked { mode, audiences }: Unchecked) -> Result<Self, String> {
        if mode == ExchangeMode::PassThrough && !audiences.is_empty() {
            return Err(
                "audiences are for mode `exchange`: tokens that pass through stay as they are".to_owned()
            );
        }
        match audiences.iter().find(|(_, audience)| !check::is_name(audience)) {
            Some((service, _)) => Err(format!("{service} {}", check::NO_NAME)),
            None => Ok(Self { mode, audiences }),
        }
    }
}
