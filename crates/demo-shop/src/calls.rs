//! Counts the calls of each route, so that anyone can see how often a screen really calls.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::AUTHORIZATION;
use http::{HeaderMap, Method, Uri};
use serde::Serialize;

/// Where calls are counted that meet no route.
const NO_ROUTE: &str = "(no route)";

/// The calls of one service since it started or since they were cleared.
#[derive(Default)]
pub(crate) struct Calls(Mutex<BTreeMap<String, Calling>>);

/// The calls of one route.
struct Calling {
    count: u64,
    last: Recorded,
    /// Which call of all it was.
    position: u64,
}

#[derive(Clone)]
struct Recorded {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
}

/// The request that came last, as `GET /_last` answers it.
#[derive(Debug, Serialize)]
pub(crate) struct Last {
    method: String,
    path: String,
    headers: BTreeMap<String, String>,
}

/// The layer that counts.
pub(crate) async fn count(State(calls): State<Arc<Calls>>, request: Request, next: Next) -> Response {
    calls.record(&request);
    next.run(request).await
}

impl Calls {
    fn record(&self, request: &Request) {
        let template = request.extensions().get::<MatchedPath>().map_or(NO_ROUTE, MatchedPath::as_str);
        // A caller may invent methods; the routes, and so what is kept, are ours.
        let method = if template == NO_ROUTE { "" } else { request.method().as_str() };
        let route = format!("{method} {template}").trim_start().to_owned();
        let last = Recorded {
            method: request.method().clone(),
            uri: request.uri().clone(),
            headers: request.headers().clone(),
        };
        let mut routes = self.routes();
        let position = routes.values().map(|calling| calling.count).sum();
        let count = routes.get(&route).map_or(0, |calling| calling.count) + 1;
        routes.insert(route, Calling { count, last, position });
    }

    /// How many calls each route had.
    pub(crate) fn counts(&self) -> BTreeMap<String, u64> {
        self.routes().iter().map(|(route, calling)| (route.clone(), calling.count)).collect()
    }

    /// The latest request, of this route or of any.
    pub(crate) fn last(&self, route: Option<&str>) -> Option<Last> {
        let routes = self.routes();
        let calling = match route {
            Some(route) => routes.get(route),
            None => routes.values().max_by_key(|calling| calling.position),
        };
        calling.map(|calling| Last::from(&calling.last))
    }

    pub(crate) fn clear(&self) {
        self.routes().clear();
    }

    fn routes(&self) -> MutexGuard<'_, BTreeMap<String, Calling>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<&Recorded> for Last {
    fn from(recorded: &Recorded) -> Self {
        let mut headers = BTreeMap::<String, String>::new();
        for (name, value) in &recorded.headers {
            let text = String::from_utf8_lossy(value.as_bytes());
            // A test wants to know that a credential was sent, and nobody needs to read it here.
            let shown =
                if name == AUTHORIZATION { text.split(' ').next().unwrap_or_default() } else { &text };
            let line = headers.entry(name.to_string()).or_default();
            if !line.is_empty() {
                line.push_str(", ");
            }
            line.push_str(shown);
        }
        Self {
            method: recorded.method.to_string(),
            path: recorded.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
            headers,
        }
    }
}
