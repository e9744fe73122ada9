//! The test bench of each service: `/_faults`, `/_capacity`, `/_calls`, `/_last`, `/_reset`. Needs no token, is never faulted
//! and never counted.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::StatusCode;
use serde::Deserialize;

use crate::calls::Calls;
use crate::capacity::{Capacity, Limit};
use crate::faults::{Faults, Rule};
use crate::input::Query;
use crate::problem::{NOT_FOUND, Problem};
use crate::state::Shop;

/// What can be seen and set from outside.
pub(crate) struct Bench {
    pub(crate) calls: Arc<Calls>,
    pub(crate) capacity: Arc<Capacity>,
    pub(crate) faults: Arc<Faults>,
    pub(crate) shop: Arc<Shop>,
}

pub(crate) fn routes(bench: Bench) -> Router {
    Router::new()
        .route("/_faults", get(faults).put(set_faults).delete(clear_faults))
        .route("/_capacity", get(capacity).put(set_capacity).delete(clear_capacity))
        .route("/_calls", get(calls).delete(clear_calls))
        .route("/_last", get(last))
        .route("/_reset", post(reset))
        .with_state(Arc::new(bench))
}

async fn faults(State(bench): State<Arc<Bench>>) -> Response {
    axum::Json(&*bench.faults.rules()).into_response()
}

/// Replaces all of them, and answers with those now in force. Takes JSON under any name, as `curl -d` sends it.
async fn set_faults(State(bench): State<Arc<Bench>>, body: Bytes) -> Result<Response, Problem> {
    let rules: Vec<Rule> =
        serde_json::from_slice(&body).map_err(|wrong| Problem::invalid(wrong.to_string()))?;
    for (index, rule) in rules.iter().enumerate() {
        rule.check().map_err(|wrong| Problem::invalid(format!("[{index}].{wrong}")))?;
    }
    bench.faults.set(rules);
    Ok(faults(State(bench)).await)
}

async fn clear_faults(State(bench): State<Arc<Bench>>) -> StatusCode {
    bench.faults.set(Vec::new());
    StatusCode::NO_CONTENT
}

/// `null` if there is no limit.
async fn capacity(State(bench): State<Arc<Bench>>) -> Response {
    axum::Json(bench.capacity.occupancy()).into_response()
}

/// Takes JSON under any name, as for the faults, and answers with what is in force.
async fn set_capacity(State(bench): State<Arc<Bench>>, body: Bytes) -> Result<Response, Problem> {
    let limit: Limit = serde_json::from_slice(&body).map_err(|wrong| Problem::invalid(wrong.to_string()))?;
    limit.check().map_err(Problem::invalid)?;
    bench.capacity.set(Some(limit));
    Ok(capacity(State(bench)).await)
}

async fn clear_capacity(State(bench): State<Arc<Bench>>) -> StatusCode {
    bench.capacity.set(None);
    StatusCode::NO_CONTENT
}

async fn calls(State(bench): State<Arc<Bench>>) -> Response {
    axum::Json(bench.calls.counts()).into_response()
}

async fn clear_calls(State(bench): State<Arc<Bench>>) -> StatusCode {
    bench.calls.clear();
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    route: Option<String>,
}

async fn last(State(bench): State<Arc<Bench>>, Query(wanted): Query<Wanted>) -> Result<Response, Problem> {
    let last = bench.calls.last(wanted.route.as_deref());
    Ok(axum::Json(last.ok_or_else(|| Problem::new(NOT_FOUND))?).into_response())
}

/// Restores the data of every service in this process, not the faults and not the counts.
async fn reset(State(bench): State<Arc<Bench>>) -> StatusCode {
    bench.shop.reset();
    StatusCode::NO_CONTENT
}
