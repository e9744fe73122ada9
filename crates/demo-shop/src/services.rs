//! The routes of each service, without what surrounds them: see `stack`.

mod billing;
mod catalog;
mod notifications;
mod orders;
mod usage;
mod users;

use std::sync::Arc;

use axum::Router;
use axum::response::{IntoResponse, Response};

use crate::identity::{self, Provider};
use crate::problem::{NOT_FOUND, Problem};
use crate::service::Service;
use crate::state::Shop;

/// What a service answers.
pub(crate) fn routes(service: Service, shop: &Arc<Shop>, provider: &Arc<Provider>) -> Router {
    let shop = shop.clone();
    match service {
        Service::Users => users::routes().with_state(shop),
        Service::Orders => orders::routes().with_state(shop),
        Service::Catalog => catalog::routes().with_state(shop),
        Service::Notifications => notifications::routes().with_state(shop),
        Service::Billing => billing::routes().with_state(shop),
        Service::Usage => usage::routes().with_state(shop),
        Service::Identity => identity::routes().with_state(provider.clone()),
    }
}

/// What a handler answers.
type Answer = Result<Response, Problem>;

/// This, or that there is no such thing.
fn found<T: serde::Serialize>(thing: Option<T>) -> Answer {
    let thing = thing.ok_or_else(|| Problem::new(NOT_FOUND))?;
    Ok(axum::Json(thing).into_response())
}
