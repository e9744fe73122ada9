//! The settings of this BFF.

mod events;

use std::net::SocketAddr;

use domain_clients::{CacheSettings, UpstreamSettings};
use identity::{IdentitySettings, SessionSettings};
use middleware::{PublicUrl, RequestSettings, StoreSettings};
use serde::{Deserialize, Serialize};
use service_runtime::{AdminSettings, Invalid, ServerSettings, ServiceSettings, TelemetrySettings};

pub use events::EventSettings;

/// The program's name, and what tokens for it have as audience.
pub const NAME: &str = "web-bff";

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
    /// Who signs people in, and what this service is to it.
    pub identity: IdentitySettings,
    /// How the sessions of people who signed in are kept.
    #[serde(default)]
    pub session: SessionSettings,
    /// Where the outcomes of writes are kept, and through which replicas tell each other what is old.
    #[serde(default)]
    pub store: StoreSettings,
    /// What is kept of the domain services' answers.
    #[serde(default)]
    pub cache: CacheSettings,
    /// How long event streams last, and how many there are.
    #[serde(default)]
    pub events: EventSettings,
    /// The domain services.
    pub upstreams: Upstreams,
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
    pub billing: UpstreamSettings,
    pub usage: UpstreamSettings,
}

impl ServiceSettings for Settings {
    const DEFAULTS: &'static str = r#"
        listen = "127.0.0.1:8081"
        public_url = "http://127.0.0.1:8080/web"
        admin.listen = "127.0.0.1:9081"
        identity.audience = "web-bff"
        identity.client_id = "web-bff"
        requests.deadline = "2s"
        requests.optional_deadline = "800ms"
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
        let Upstreams { users, orders, catalog, notifications, billing, usage } = &self.upstreams;
        let upstreams = [
            ("users", users),
            ("orders", orders),
            ("catalog", catalog),
            ("notifications", notifications),
            ("billing", billing),
            ("usage", usage),
        ];
        for (name, upstream) in upstreams {
            if let Some((key, right)) = upstream.out_of_range() {
                return Err(Invalid::new(key, right).within(name).within("upstreams"));
            }
        }
        let sections = [
            ("store", self.store.out_of_range()),
            ("cache", self.cache.out_of_range()),
            ("events", self.events.out_of_range()),
        ];
        for (section, wrong) in sections {
            if let Some((key, right)) = wrong {
                return Err(Invalid::new(key, right).within(section));
            }
        }
        self.session.check(&self.public_url, &self.store).map_err(|bad| match bad.key {
            "public_url" => Invalid::new(bad.key, bad.problem),
            key => Invalid::new(key, bad.problem).within("session"),
        })?;
        self.requests.check().map_err(|(key, right)| Invalid::new(key, right).within("requests"))
    }
}
