//! What this BFF may call, and the router that does.

use std::sync::Arc;

use axum::Router;
use bytes::Bytes;
use domain_clients::{Catalog, Orders, Outbound, Usage};
use identity::{Accounts, ApiKeys, Provider, Tokens};
use middleware::{PublicUrl, SharedStore, Writes, stack};
use screen::Naming;
use service_runtime::{App, BuildError, upstreams};

use crate::routes;
use crate::settings::{NAME, Settings};

/// What the resources share.
#[derive(Clone)]
pub struct AppState {
    pub(crate) orders: Orders,
    pub(crate) catalog: Catalog,
    pub(crate) usage: Usage,
    pub(crate) identity: ApiKeys,
    /// The OpenAPI document, as JSON.
    pub(crate) document: Bytes,
    pub(crate) public_url: PublicUrl,
    pub(crate) writes: Writes,
    pub(crate) outbound: Outbound,
}

impl AppState {
    /// Connects nothing yet: connections are made when they are needed.
    pub fn new(settings: &Settings) -> Result<Self, BuildError> {
        let provider = Provider::new(&settings.identity, NAME)?;
        let accounts = Accounts::new(&settings.partners, &provider);
        let identity = ApiKeys::new(&settings.partners, &accounts);
        let store = SharedStore::open(&settings.store).map_err(|bad| format!("store.{bad}"))?;
        let tokens = Arc::new(Tokens::new(&provider).with_accounts(accounts));
        let outbound = Outbound::keeping(tokens, &settings.cache, store.invalidations());
        let upstreams = &settings.upstreams;
        Ok(Self {
            orders: Orders::new(&upstreams.orders, &outbound)?,
            catalog: Catalog::new(&upstreams.catalog, &outbound)?,
            usage: Usage::new(&upstreams.usage, &outbound)?,
            identity,
            document: routes::document(settings).into(),
            public_url: settings.public_url.clone(),
            writes: Writes::new(NAME, store),
            outbound,
        })
    }
}

/// The whole service as a function of its state and settings. Does no I/O.
pub fn app(state: AppState, settings: &Settings) -> Router {
    let router = stack(routes::router(state), &settings.requests, &settings.public_url, Naming::SnakeCase);
    // Outside of the stack: what it answers in a handler's place says when the version ends, too.
    settings.versions.announce(router)
}

/// The app for `service_runtime::main`.
pub async fn build(settings: Settings) -> Result<App, BuildError> {
    let state = AppState::new(&settings)?;
    state.outbound.listen();
    let admin = upstreams(state.outbound.clone(), Outbound::state, Outbound::forget);
    let writes = state.writes.tasks();
    Ok(App::new(app(state, &settings)).tasks(writes).admin(admin))
}
