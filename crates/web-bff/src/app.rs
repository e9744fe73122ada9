//! What this BFF may call, and the router that does.

use std::sync::Arc;

use axum::Router;
use domain_clients::{Billing, Catalog, Notifications, Orders, Outbound, Usage, Users};
use identity::{Provider, Sessions, Tokens};
use middleware::{PublicUrl, SharedStore, Writes, stack};
use screen::Naming;
use service_runtime::{App, BuildError, Telemetry, upstreams};

use crate::recall::Recall;
use crate::routes;
use crate::settings::{NAME, Settings};
use crate::streams::Streams;

/// What the screens share.
#[derive(Clone)]
pub struct AppState {
    provider: Arc<Provider>,
    store: SharedStore,
    pub(crate) users: Users,
    pub(crate) orders: Orders,
    pub(crate) catalog: Catalog,
    pub(crate) notifications: Notifications,
    pub(crate) billing: Billing,
    pub(crate) usage: Usage,
    pub(crate) sessions: Sessions,
    pub(crate) public_url: PublicUrl,
    pub(crate) recall: Recall,
    pub(crate) streams: Streams,
    pub(crate) writes: Writes,
    pub(crate) outbound: Outbound,
    telemetry: Telemetry,
}

impl AppState {
    /// Connects nothing yet: connections are made when they are needed.
    pub fn new(settings: &Settings, telemetry: &Telemetry) -> Result<Self, BuildError> {
        let provider = Provider::new(&settings.identity, NAME)?;
        let store = SharedStore::open(&settings.store).map_err(|bad| format!("store.{bad}"))?;
        let sessions = Sessions::new(
            &provider,
            &settings.session,
            &settings.public_url,
            &session_store(settings, &store)?,
        )
        .map_err(|bad| format!("session.{bad}"))?
        .allowing(&settings.requests.allowed_origins);
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
            billing: Billing::new(&upstreams.billing, &outbound)?,
            usage: Usage::new(&upstreams.usage, &outbound)?,
            recall: recall(&sessions),
            sessions,
            streams: Streams::new(&settings.events),
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
        self.sessions.observe(meter);
        self.streams.observe(meter);
    }
}

/// Where sessions are kept, unless they have a store of their own. In memory they have one always: whatever fills the
/// other must not keep anybody from signing in.
fn session_store(settings: &Settings, store: &SharedStore) -> Result<SharedStore, BuildError> {
    if store.is_shared() {
        return Ok(store.clone());
    }
    Ok(SharedStore::open(&settings.store).map_err(|bad| format!("store.{bad}"))?)
}

/// Asks for the caller of a request again, by what it carries.
fn recall(sessions: &Sessions) -> Recall {
    let sessions = sessions.clone();
    Recall::new(move |ctx, head| {
        let sessions = sessions.clone();
        async move { sessions.recall(&ctx, &head).await }
    })
}

/// The whole service as a function of its state and settings. Does no I/O.
pub fn app(state: AppState, settings: &Settings) -> Router {
    let observer = state.telemetry.observer();
    stack(routes::router(state), &settings.requests, &settings.public_url, Naming::CamelCase, observer)
}

/// The app for `service_runtime::main`.
pub async fn build(settings: Settings, telemetry: Telemetry) -> Result<App, BuildError> {
    let state = AppState::new(&settings, &telemetry)?;
    state.observe();
    state.sessions.warm();
    state.outbound.listen();
    let admin = upstreams(state.outbound.clone(), Outbound::state, Outbound::forget);
    let (writes, sessions) = (state.writes.tasks(), state.sessions.tasks());
    let closing = state.streams.closing().clone();
    Ok(App::new(app(state, &settings)).tasks(writes).tasks(sessions).closing(closing).admin(admin))
}
