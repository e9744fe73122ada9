//! What surrounds the routes of each service.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state as layer;
use request_context::Observe;
use tower::ServiceBuilder;

use crate::auth::{Doorman, demand_token};
use crate::calls::{Calls, count};
use crate::capacity::{Capacity, Limit, queue};
use crate::control::{self, Bench};
use crate::faults::{Faults, strike};
use crate::load::{Load, shed};
use crate::observation::observe;
use crate::problem::{METHOD_NOT_ALLOWED, NOT_FOUND, Problem};
use crate::state::Shop;

const MAX_BODY: usize = 64 * 1024;

/// What is particular to a service.
pub(crate) struct Surroundings {
    /// The identity provider has none: it is where tokens come from.
    pub(crate) doorman: Option<Doorman>,
    pub(crate) shed_above: Option<usize>,
    pub(crate) capacity: Option<Limit>,
    pub(crate) seed: u64,
    /// Who is to see every request.
    pub(crate) observer: Arc<dyn Observe>,
}

/// The routes, with everything around them; the first layer sees a request first.
pub(crate) fn surround(routes: Router, shop: &Arc<Shop>, surroundings: Surroundings) -> Router {
    let calls = Arc::new(Calls::default());
    let faults = Arc::new(Faults::new(surroundings.seed));
    let capacity = Arc::new(Capacity::new(surroundings.capacity));
    let load = Arc::new(Load::new(surroundings.shed_above));
    let stack = ServiceBuilder::new()
        // Sees how long a caller waits, whatever for.
        .layer(layer(surroundings.observer, observe))
        // Counts what was called, also where it is then refused or broken.
        .layer(layer(calls.clone(), count))
        // A request that a fault holds up takes a place, as a slow answer would.
        .layer(layer(load, shed))
        // A fault strikes whoever calls, token or not.
        .layer(layer(faults.clone(), strike))
        // Inside the faults: one that holds a request for ever must not hold a worker.
        .layer(layer(capacity.clone(), queue))
        // Nothing behind this is called by nobody, but at the identity provider.
        .layer(layer(surroundings.doorman.map(Arc::new), demand_token))
        .layer(DefaultBodyLimit::max(MAX_BODY));
    let bench = Bench { calls, capacity, faults, shop: shop.clone() };
    routes
        .fallback(async || Problem::new(NOT_FOUND))
        .method_not_allowed_fallback(async || Problem::new(METHOD_NOT_ALLOWED))
        .layer(stack)
        .merge(control::routes(bench))
}
