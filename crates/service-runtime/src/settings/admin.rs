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
    /// The names, beside `localhost`, under which browsers may ask for `/inspector`; an address always may.
    #[serde(default)]
    pub hosts: Vec<String>,
}

const SHORTEST_TOKEN: usize = 16;

impl AdminSettings {
    pub(super) fn check(&self) -> Result<(), Invalid> {
        if self.token.as_ref().is_some_and(|token| token.expose().len() < SHORTEST_TOKEN) {
            let problem = format!("too short: at least {SHORTEST_TOKEN} characters are needed");
            return Err(Invalid::new("token", problem));
        }
        match self.hosts.iter().find(|host| !is_name(host)) {
            Some(host) => {
                Err(Invalid::new("hosts", format!("{host:?} is no name of a host, without a port")))
            }
            None => Ok(()),
        }
    }
}

fn is_name(host: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    host.split('.').all(label)
}
