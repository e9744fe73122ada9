//! The inspector's addresses, and what the page is told there.

#![expect(
    clippy::disallowed_types,
    reason = "problems are for clients; who asks here reads axum's words, which say what is wrong"
)]

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::{Request as HttpRequest, StatusCode};
use serde::{Deserialize, Serialize};
use tower::ServiceExt;

use super::door::{self, Door};
use super::view::{Request, Wanted, Whole};
use super::{Inspector, Name, page};

/// More than any token takes.
const LONGEST_LOGIN: usize = 4 << 10;

/// Which requests are wanted: all that fit.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Filter {
    /// The template, such as `/orders/{id}`.
    route: Option<String>,
    user: Option<String>,
    outcome: Option<Wanted>,
    /// The number of the newest one that is known already.
    #[serde(default)]
    since: u64,
}

#[derive(Serialize)]
struct List<'a> {
    service: &'a str,
    version: &'a str,
    /// Another one: the service was started anew, and counts from one.
    instance: u64,
    /// How many requests are kept at most.
    keeps: usize,
    newest: u64,
    requests: Vec<&'a Request>,
}

#[derive(Serialize)]
struct Found<'a> {
    requests: Vec<Whole<'a>>,
}

pub(super) fn router(inspector: &Inspector, service: Name, door: Arc<Door>, own: &Router) -> Router {
    let list = {
        let inspector = inspector.clone();
        async move |Query(filter): Query<Filter>| inspector.list(service, &filter)
    };
    let own = own.clone();
    let guarded = page::guarded()
        .route("/inspector/requests", get(list))
        .route("/inspector/requests/{trace_id}", get(found).with_state(inspector.clone()))
        .route("/inspector/upstreams", get(async move || upstreams(own).await))
        .route_layer(from_fn_with_state(Arc::clone(&door), door::token));
    let session = post(door::log_in).delete(door::log_out);
    page::open()
        .route("/inspector/", get(async || Redirect::permanent(page::PATH)))
        .route("/inspector/session", session.with_state(Arc::clone(&door)))
        .route_layer(DefaultBodyLimit::max(LONGEST_LOGIN))
        .merge(guarded)
        .route_layer(from_fn_with_state(door, door::host))
}

impl Inspector {
    fn list(&self, service: Name, filter: &Filter) -> Response {
        let (all, newest, keeps) = {
            let kept = self.kept();
            (kept.all(), kept.newest(), kept.most())
        };
        let requests = all.iter().map(|request| &**request).filter(|request| filter.wants(request)).collect();
        let Name { name, version } = service;
        let instance = self.0.instance;
        Json(List { service: name, version, instance, keeps, newest, requests }).into_response()
    }
}

impl Filter {
    fn wants(&self, request: &Request) -> bool {
        request.number > self.since
            && (self.route.is_none() || self.route == request.route)
            && (self.user.is_none() || self.user == request.user)
            && self.outcome.is_none_or(|outcome| request.is(outcome))
    }
}

/// All requests of a trace: a client may have made several in one.
async fn found(State(inspector): State<Inspector>, Path(trace_id): Path<String>) -> Response {
    let all = inspector.kept().all();
    let requests = all.iter().filter(|request| request.trace_id == trace_id);
    let requests: Vec<_> = requests.map(|request| request.with_spans()).collect();
    if requests.is_empty() {
        return StatusCode::NOT_FOUND.into_response();
    }
    Json(Found { requests }).into_response()
}

/// What the service itself answers to `/upstreams`; who has none has no such route either.
async fn upstreams(own: Router) -> Response {
    let mut request = HttpRequest::new(Body::empty());
    *request.uri_mut() = http::Uri::from_static("/upstreams");
    match own.oneshot(request).await {
        Ok(answer) => answer,
        Err(never) => match never {},
    }
}
