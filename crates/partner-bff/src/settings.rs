//! The settings of this BFF.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;

use domain_clients::{CacheSettings, UpstreamSettings};
use identity::{ApiKeysSettings, IdentitySettings, Partners};
use middleware::{PlanSettings, PublicUrl, RequestSettings, StoreSettings};
use serde::{Deserialize, Serialize};
use service_runtime::{AdminSettings, Invalid, ServerSettings, ServiceSettings, TelemetrySettings};

use crate::versions::Versions;

/// The program's name, and what tokens for it have as audience.
pub const NAME: &str = "partner-bff";

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
    /// Which versions of the API are going to end.
    #[serde(default)]
    pub versions: Versions,
    /// The partners by name: their accounts.
    #[serde(default)]
    pub partners: Partners,
    /// Where their keys are.
    #[serde(default)]
    pub api_keys: ApiKeysSettings,
    /// What partners may ask for, by the names of the plans.
    pub plans: BTreeMap<String, PlanSettings>,
}

/// The plan of partners that name none. There always is one.
pub(crate) const DEFAULT_PLAN: &str = "default";

/// The domain services that this BFF calls.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each is the service of its name")]
pub struct Upstreams {
    pub orders: UpstreamSettings,
    pub catalog: UpstreamSettings,
    pub usage: UpstreamSettings,
}

impl ServiceSettings for Settings {
    // Nobody waits at a screen and a resource is one call, of up to 200 items: it may use half of the deadline.
    // Where both are slow, the machines give way first: their calls may be of use later, a person's are not.
    const DEFAULTS: &'static str = r#"
        listen = "127.0.0.1:8083"
        public_url = "http://127.0.0.1:8080/partner"
        admin.listen = "127.0.0.1:9083"
        requests.deadline = "10s"
        requests.optional_deadline = "5s"
        upstreams.orders.timeout = "5s"
        upstreams.catalog.timeout = "5s"
        upstreams.usage.timeout = "5s"
        upstreams.orders.latency_tolerance = 1.5
        upstreams.catalog.latency_tolerance = 1.5
        upstreams.usage.latency_tolerance = 1.5
        plans.default = { requests = 600, per = "1m" }
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

    fn resolve(&mut self, directory: &Path) {
        if let Some(file) = &mut self.api_keys.file {
            *file = directory.join(&*file);
        }
    }

    fn check(&self) -> Result<(), Invalid> {
        self.check_plans()?;
        let Upstreams { orders, catalog, usage } = &self.upstreams;
        for (name, upstream) in [("orders", orders), ("catalog", catalog), ("usage", usage)] {
            if let Some((key, right)) = upstream.out_of_range() {
                return Err(Invalid::new(key, right).within(name).within("upstreams"));
            }
        }
        self.versions.check().map_err(|invalid| invalid.within("versions"))?;
        for (section, wrong) in [("store", self.store.out_of_range()), ("cache", self.cache.out_of_range())] {
            if let Some((key, right)) = wrong {
                return Err(Invalid::new(key, right).within(section));
            }
        }
        self.requests.check().map_err(|(key, right)| Invalid::new(key, right).within("requests"))
    }
}

impl Settings {
    fn check_plans(&self) -> Result<(), Invalid> {
        for (name, plan) in &self.plans {
            let wrong = |(key, right)| Invalid::new(key, right).within(name).within("plans");
            PlanSettings::check_name(name).map_err(|right| Invalid::new(name, right).within("plans"))?;
            plan.check().map_err(wrong)?;
        }
        let of = |named: &Option<String>| named.as_ref().is_none_or(|plan| self.plans.contains_key(plan));
        match self.partners.iter().find(|(_, partner)| !of(&partner.plan)) {
            None => Ok(()),
            Some((name, _)) => {
                let plans = self.plans.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
                let right = format!("there is no such plan; there are: {plans}");
                Err(Invalid::new("plan", right).within(name).within("partners"))
            }
        }
    }
}

#[cfg(test)]
mod tests;
