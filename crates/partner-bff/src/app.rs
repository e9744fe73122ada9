//! What this BFF may call, and the router that does.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use bytes::Bytes;
use domain_clients::{Catalog, Orders, Outbound, Usage};
use identity::{Accounts, ApiKeys, Bearer, PartnerCallers, Provider, Tokens};
use middleware::{Plan, PublicUrl, Quotas, SharedStore, Writes, stack};
use screen::Naming;
use service_runtime::{App, BuildError, Telemetry, upstreams};

use crate::routes;
use crate::scopes::ALL;
use crate::settings::{DEFAULT_PLAN, NAME, Settings};

/// What the resources share.
#[derive(Clone)]
pub struct AppState {
    provider: Arc<Provider>,
    store: SharedStore,
    pub(crate) orders: Orders,
    pub(crate) catalog: Catalog,
    pub(crate) usage: Usage,
    pub(crate) identity: PartnerCallers,
    pub(crate) quotas: Quotas,
    keys: ApiKeys,
    bearer: Bearer,
    /// The OpenAPI document, as JSON.
    pub(crate) document: Bytes,
    pub(crate) public_url: PublicUrl,
    pub(crate) writes: Writes,
    pub(crate) outbound: Outbound,
    telemetry: Telemetry,
}

impl AppState {
    /// Reads the keys file, and connects nothing yet: connections are made when they are needed.
    pub fn new(settings: &Settings, telemetry: &Telemetry) -> Result<Self, BuildError> {
        let provider = Provider::new(&settings.identity, NAME)?;
        let accounts = Accounts::new(&settings.partners, &provider);
        let keys = ApiKeys::open(&settings.api_keys, &settings.partners, &accounts, ALL)?;
        let store = SharedStore::open(&settings.store).map_err(|bad| format!("store.{bad}"))?;
        let bearer = Bearer::new(&provider, &settings.public_url, &store);
        let identity = PartnerCallers::new(keys.clone(), bearer.clone(), Arc::clone(&accounts));
        let tokens = Arc::new(Tokens::new(&provider).with_accounts(accounts));
        let outbound = Outbound::keeping(tokens, &settings.cache, store.invalidations());
        let upstreams = &settings.upstreams;
        Ok(Self {
            provider: Arc::clone(&provider),
            store: store.clone(),
            orders: Orders::new(&upstreams.orders, &outbound)?,
            catalog: Catalog::new(&upstreams.catalog, &outbound)?,
            usage: Usage::new(&upstreams.usage, &outbound)?,
            identity,
            quotas: quotas(settings, store.clone()),
            keys,
            bearer,
            document: routes::document(settings).into(),
            public_url: settings.public_url.clone(),
            writes: Writes::new(NAME, store),
            outbound,
            telemetry: telemetry.clone(),
        })
    }

    /// Shows how everything is doing.
    fn observe(&self) {
        let meter = &self.telemetry.meter();
        self.outbound.observe(meter);
        self.provider.observe(meter);
        self.store.observe("all", meter);
        self.writes.observe(meter);
        self.identity.observe(meter);
        self.quotas.observe(meter);
    }

    /// Begins what goes on beside the requests. Must be called in a tokio runtime.
    pub fn start(&self) {
        self.outbound.listen();
        self.keys.watch();
        self.bearer.warm();
    }
}

/// The quotas of the partners' accounts, which share one whatever their credentials.
fn quotas(settings: &Settings, store: SharedStore) -> Quotas {
    let plans: HashMap<_, _> =
        settings.plans.iter().map(|(name, plan)| (name.as_str(), Plan::new(name, plan))).collect();
    let of = settings.partners.iter().filter_map(|(_, partner)| {
        let plan = plans.get(partner.plan.as_deref().unwrap_or(DEFAULT_PLAN))?;
        Some((partner.subject(), Arc::clone(plan)))
    });
    let plan_of: HashMap<_, _> = of.collect();
    Quotas::new(NAME, store, move |caller| plan_of.get(&caller.subject).cloned())
}

/// The whole service as a function of its state and settings. Does no I/O.
pub fn app(state: AppState, settings: &Settings) -> Router {
    let observer = state.telemetry.observer();
    let router = routes::router(state);
    let stacked = stack(router, &settings.requests, &settings.public_url, Naming::SnakeCase, observer);
    // Outside of the stack: what it answers in a handler's place says when the version ends, too.
    settings.versions.announce(stacked)
}

/// The app for `service_runtime::main`.
pub async fn build(settings: Settings, telemetry: Telemetry) -> Result<App, BuildError> {
    let state = AppState::new(&settings, &telemetry)?;
    state.observe();
    state.start();
    let admin = upstreams(state.outbound.clone(), Outbound::state, Outbound::forget);
    let writes = state.writes.tasks();
    Ok(App::new(app(state, &settings)).tasks(writes).admin(admin))
}
