//! A service's real capacity: so many requests are worked on at once, each takes its time, the rest wait in turn.
//!
//! Without one, a stand-in answers as fast as the machine can and is never overloaded.

mod limit;

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub use limit::Limit;

use crate::problem::{OVERLOADED, Problem};

/// The limit in force in one service, if there is one.
pub(crate) struct Capacity(RwLock<Option<Arc<Desk>>>);

/// Where requests queue up. It is closed when another limit replaces it.
struct Desk {
    limit: Limit,
    workers: Arc<Semaphore>,
    waiting: AtomicUsize,
}

/// What `GET /_capacity` answers.
#[derive(Debug, Serialize)]
pub(crate) struct Occupancy {
    #[serde(flatten)]
    limit: Limit,
    /// How many requests are worked on.
    working: usize,
    /// How many wait until a worker is free.
    waiting: usize,
}

/// One that waits; until it is dropped.
struct Waiting<'a>(&'a AtomicUsize);

/// The layer that makes requests wait and take their time.
pub(crate) async fn queue(State(capacity): State<Arc<Capacity>>, request: Request, next: Next) -> Response {
    let keeps_abandoned = capacity.desk().is_some_and(|desk| desk.limit.keeps_abandoned());
    let served = serve(capacity, request, next);
    if keeps_abandoned { to_its_end(served).await } else { served.await }
}

async fn serve(capacity: Arc<Capacity>, request: Request, next: Next) -> Response {
    loop {
        let Some(desk) = capacity.desk() else {
            return next.run(request).await;
        };
        let Some(place) = desk.enter() else {
            return Problem::new(OVERLOADED).into_response();
        };
        // A client that leaves while it waits drops this, and with it its place in the queue.
        let worker = desk.workers.clone().acquire_owned().await;
        drop(place);
        // A closed desk sends everyone on to the next one.
        if let Ok(worker) = worker {
            return work(desk.limit, worker, request, next).await;
        }
    }
}

/// What was begun is done to its end, also for a client that has left: the service has the cost of it.
async fn work(limit: Limit, worker: OwnedSemaphorePermit, request: Request, next: Next) -> Response {
    let work = async move {
        tokio::time::sleep(limit.service_time()).await;
        let response = next.run(request).await;
        drop(worker);
        response
    };
    to_its_end(work).await
}

/// Runs on when nobody waits for it any more.
async fn to_its_end(work: impl Future<Output = Response> + Send + 'static) -> Response {
    match tokio::spawn(work).await {
        Ok(response) => response,
        Err(ended) => resume_unwind(ended.into_panic()),
    }
}

impl Capacity {
    pub(crate) fn new(limit: Option<Limit>) -> Self {
        Self(RwLock::new(limit.map(Desk::open)))
    }

    /// Sets or removes the limit; who waits then waits under the new one.
    pub(crate) fn set(&self, limit: Option<Limit>) {
        let desk = limit.map(Desk::open);
        let before = std::mem::replace(&mut *self.0.write().unwrap_or_else(PoisonError::into_inner), desk);
        if let Some(before) = before {
            before.workers.close();
        }
    }

    /// The limit in force, and how busy the service is.
    pub(crate) fn occupancy(&self) -> Option<Occupancy> {
        self.desk().map(|desk| Occupancy {
            limit: desk.limit,
            working: desk.limit.concurrency() - desk.workers.available_permits(),
            waiting: desk.waiting.load(Ordering::Relaxed),
        })
    }

    fn desk(&self) -> Option<Arc<Desk>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Desk {
    fn open(limit: Limit) -> Arc<Self> {
        let workers = Arc::new(Semaphore::new(limit.concurrency()));
        Arc::new(Self { limit, workers, waiting: AtomicUsize::new(0) })
    }

    /// A place in the queue, unless it is as long as it may be. Who is served at once has been in it too.
    fn enter(&self) -> Option<Waiting<'_>> {
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        let place = Waiting(&self.waiting);
        (before < self.limit.queue()).then_some(place)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
