//! The settings of this BFF.

use std::net::SocketAddr;

use domain_clients::{CacheSettings, UpstreamSettings};
use identity::IdentitySettings;
use middleware::{PublicUrl, RequestSettings, StoreSettings};
use serde::{Deserialize, Serialize};
use service_runtime::{AdminSettings, Invalid, ServerSettings, ServiceSettings, TelemetrySettings};
use url::Url;

use crate::Version;

/// The program's name, and what tokens for it have as audience.
pub const NAME: &str = "mobile-bff";

/// All settings.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where the BFF listens.
    pub listen: SocketAddr,
    /// The base of every URL that leaves the BFF, as its clients know it.
    pub public_url: PublicUrl,
    /// The admin listener.
    pub admin: AdminSettings,
    /// How connections are served.
    #[serde(default)]
    pub server: ServerSettings,
    /// What is shown of requests.
    #[serde(default)]
    pub telemetry: TelemetrySettings,
    /// What a request may take.
    pub requests: RequestSettings,
    /// Which apps are served.
    #[serde(default)]
    pub app: AppSettings,
    /// Who issues tokens.
    pub identity: IdentitySettings,
    /// Where the outcomes of writes are kept, and through which replicas tell each other what is old.
    #[serde(default)]
    pub store: StoreSettings,
    /// What is kept of the domain services' answers.
    #[serde(default)]
    pub cache: CacheSettings,
    /// The domain services.
    pub upstreams: Upstreams,
}

/// How old an app may be. Both or neither must be there.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AppSettings {
    /// The oldest version that is served, as the app says it in `X-App-Version`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum_version: Option<Version>,
    /// Where people find a newer app.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update_url: Option<Url>,
}

impl AppSettings {
    /// The oldest version that is served and where there is a newer one, if it matters.
    pub(crate) fn minimum(&self) -> Option<(&Version, &Url)> {
        self.minimum_version.as_ref().zip(self.update_url.as_ref())
    }

    fn check(&self) -> Result<(), Invalid> {
        match (&self.minimum_version, &self.update_url) {
            (Some(_), None) => Err(Invalid::new("update_url", "must be set, since minimum_version is")),
            (None, Some(_)) => Err(Invalid::new("minimum_version", "must be set, since update_url is")),
            (Some(_), Some(url)) if !matches!(url.scheme(), "http" | "https") => {
                Err(Invalid::new("update_url", "must be a URL that begins with http:// or https://"))
            }
            _ => Ok(()),
        }
    }
}

/// The domain services that this BFF calls.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each is the service of its name")]
pub struct Upstreams {
    pub users: UpstreamSettings,
    pub orders: UpstreamSettings,
    pub catalog: UpstreamSettings,
    pub notifications: UpstreamSettings,
}

impl ServiceSettings for Settings {
    const DEFAULTS: &'static str = r#"
        listen = "127.0.0.1:8082"
        public_url = "http://127.0.0.1:8080/mobile"
        admin.listen = "127.0.0.1:9082"
        identity.audience = "mobile-bff"
        identity.client_id = "mobile-bff"
        requests.deadline = "3s"
        requests.optional_deadline = "1200ms"
    "#;

    fn listen(&self) -> SocketAddr {
        self.listen
    }

    fn admin(&self) -> &AdminSettings {
        &self.admin
    }

    fn server(&self) -> &ServerSettings {
        &self.server
    }

    fn telemetry(&self) -> &TelemetrySettings {
        &self.telemetry
    }

    fn check(&self) -> Result<(), Invalid> {
        self.app.check().map_err(|invalid| invalid.within("app"))?;
        let Upstreams { users, orders, catalog, notifications } = &self.upstreams;
        let upstreams =
            [("users", users), ("orders", orders), ("catalog", catalog), ("notifications", notifications)];
        for (name, upstream) in upstreams {
            if let Some((key, right)) = upstream.out_of_range() {
                return Err(Invalid::new(key, right).within(name).within("upstreams"));
            }
        }
        for (section, wrong) in [("store", self.store.out_of_range()), ("cache", self.cache.out_of_range())] {
            if let Some((key, right)) = wrong {
                return Err(Invalid::new(key, right).within(section));
            }
        }
        self.requests.check().map_err(|(key, right)| Invalid::new(key, right).within("requests"))
    }
}
