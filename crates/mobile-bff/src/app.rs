//! What this BFF may call, and the router that does.

use std::sync::Arc;

use axum::Router;
use domain_clients::{Catalog, Notifications, Orders, Users};
use identity::{Bearer, Provider, Tokens};
use middleware::{PublicUrl, stack};
use screen::Naming;
use service_runtime::{App, BuildError};

use crate::routes;
use crate::settings::Settings;

/// What the screens share.
#[derive(Clone)]
pub struct AppState {
    pub(crate) users: Users,
    pub(crate) orders: Orders,
    pub(crate) catalog: Catalog,
    pub(crate) notifications: Notifications,
    pub(crate) identity: Bearer,
    pub(crate) public_url: PublicUrl,
}

impl AppState {
    /// Connects nothing yet: connections are made when they are needed.
    pub fn new(settings: &Settings) -> Result<Self, BuildError> {
        let provider = Provider::new(&settings.identity, crate::settings::NAME)?;
        let tokens = Arc::new(Tokens::new(&provider));
        let upstreams = &settings.upstreams;
        Ok(Self {
            users: Users::new(&upstreams.users, tokens.clone())?,
            orders: Orders::new(&upstreams.orders, tokens.clone())?,
            catalog: Catalog::new(&upstreams.catalog, tokens.clone())?,
            notifications: Notifications::new(&upstreams.notifications, tokens)?,
            identity: Bearer::new(&provider),
            public_url: settings.public_url.clone(),
        })
    }
}

/// The whole service as a function of its state and settings. Does no I/O.
pub fn app(state: AppState, settings: &Settings) -> Router {
    stack(routes::router(state), &settings.requests, &settings.public_url, Naming::CamelCase)
}

/// The app for `service_runtime::main`.
pub async fn build(settings: Settings) -> Result<App, BuildError> {
    let state = AppState::new(&settings)?;
    state.identity.warm();
    Ok(App::new(app(state, &settings)))
}
