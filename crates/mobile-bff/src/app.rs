//! What this BFF may call, and the router that does.

use std::sync::Arc;

use axum::Router;
use domain_clients::{Catalog, Notifications, Orders, Outbound, Users};
use identity::{Bearer, Provider, Tokens};
use middleware::{PublicUrl, SharedStore, Writes, stack};
use screen::Naming;
use service_runtime::{App, BuildError, Telemetry, upstreams};

use crate::routes;
use crate::settings::{NAME, Settings};

/// What the screens share.
#[derive(Clone)]
pub struct AppState {
    provider: Arc<Provider>,
    store: SharedStore,
    pub(crate) users: Users,
    pub(crate) orders: Orders,
    pub(crate) catalog: Catalog,
    pub(crate) notifications: Notifications,
    pub(crate) identity: Bearer,
    pub(crate) public_url: PublicUrl,
    pub(crate) writes: Writes,
    pub(crate) outbound: Outbound,
    telemetry: Telemetry,
}

impl AppState {
    /// Connects nothing yet: connections are made when they are needed.
    pub fn new(settings: &Settings, telemetry: &Telemetry) -> Result<Self, BuildError> {
        let provider = Provider::new(&settings.identity, NAME)?;
        let store = SharedStore::open(&settings.store).map_err(|bad| format!("store.{bad}"))?;
        let tokens = Arc::new(Tokens::new(&provider));
        let outbound = Outbound::keeping(tokens, &settings.cache, store.invalidations());
        let upstreams = &settings.upstreams;
        Ok(Self {
            provider: Arc::clone(&provider),
            store: store.clone(),
            users: Users::new(&upstreams.users, &outbound)?,
            orders: Orders::new(&upstreams.orders, &outbound)?,
            catalog: Catalog::new(&upstreams.catalog, &outbound)?,
            notifications: Notifications::new(&upstreams.notifications, &outbound)?,
            identity: Bearer::new(&provider, &settings.public_url, &store),
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
    }
}

/// The whole service as a function of its state and settings. Does no I/O.
pub fn app(state: AppState, settings: &Settings) -> Router {
    let observer = state.telemetry.observer();
    let routes = routes::router(state, &settings.app);
    stack(routes, &settings.requests, &settings.public_url, Naming::CamelCase, observer)
}

/// The app for `service_runtime::main`.
pub async fn build(settings: Settings, telemetry: Telemetry) -> Result<App, BuildError> {
    let state = AppState::new(&settings, &telemetry)?;
    state.observe();
    state.identity.warm();
    state.outbound.listen();
    let admin = upstreams(state.outbound.clone(), Outbound::state, Outbound::forget);
    let writes = state.writes.tasks();
    Ok(App::new(app(state, &settings)).tasks(writes).admin(admin))
}
