use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::error::Invalid;
use super::secret::Secret;

/// Where and how the admin routes are offered.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AdminSettings {
    /// The address of the admin listener. Never one that the gateway routes to.
    pub listen: SocketAddr,
    /// What `/config` and other guarded routes want as a bearer token. Without one they do not exist.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Secret>,
}

const SHORTEST_TOKEN: usize = 16;

impl AdminSettings {
    pub(super) fn check(&self) -> Result<(), Invalid> {
        match &self.token {
            Some(token) if token.expose().len() < SHORTEST_TOKEN => Err(Invalid::new(
                "token",
                format!("too short: at least {SHORTEST_TOKEN} characters are needed"),
            )),
            _ => Ok(()),
        }
    }
}
