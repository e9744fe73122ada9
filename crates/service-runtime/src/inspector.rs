//! What a service has just done, for people to see: its last requests as waterfalls, and how its upstreams are doing.
//!
//! `GET /inspector` on the admin listener is a page; what it shows is JSON below it, for `curl` as well. Only who knows
//! the admin token sees any of it, under a `Host` that nobody else can answer for ([`door`]). What is kept is bounded
//! ([`kept`]), and holds neither credentials nor names: only what the exported spans hold, too, and the audit log's hash
//! of who asked.

mod door;
mod kept;
mod page;
mod routes;
mod session;
mod view;

use std::fmt::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use request_context::Completed;

use crate::settings::AdminSettings;
use door::Door;
use kept::Kept;
use view::Request;

/// The last requests of a service. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Inspector(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    kept: Mutex<Kept>,
    slow: Duration,
    /// Tells this process from the one before it, whose numbers began at one as well.
    instance: u64,
}

/// Whose requests they are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Name {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
}

impl Inspector {
    /// An inspector of at most so many requests, which marks those that took at least `slow`.
    pub fn new(requests: usize, slow: Duration) -> Self {
        let started = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(Arc::new(Inner {
            kept: Mutex::new(Kept::new(requests)),
            slow,
            // Whole milliseconds are exact in a browser's numbers for some hundred thousand years.
            instance: u64::try_from(started.as_millis()).unwrap_or_default(),
        }))
    }

    /// Keeps this request, and forgets the oldest when there are too many.
    pub fn keep(&self, request: &Completed) {
        // Written down before the lock is taken: the next one must not wait for that.
        let request = Request::of(request, self.0.slow);
        self.kept().add(request);
    }

    /// Its routes, for an admin listener with a token; without one it has none. What `own` answers to `/upstreams` is
    /// shown beside the requests.
    pub(crate) fn router(&self, service: Name, admin: &AdminSettings, own: &Router) -> Router {
        match &admin.token {
            Some(token) => routes::router(self, service, Door::new(service.name, token, &admin.hosts), own),
            None => Router::new(),
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests;
