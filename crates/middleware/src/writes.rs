//! Writes end even if their client leaves, and happen once under one `Idempotency-Key`
//! (draft-ietf-httpapi-idempotency-key-header).
//!
//! The handler of a write runs in a task of its own, to the request's deadline. With a key, the task claims a
//! record in the store before the handler runs, and leaves the answer there for the request that comes again:
//!
//! | the record | the answer |
//! |---|---|
//! | none | the handler's; recorded for 24 hours if it is the outcome of the write |
//! | of this request, answered | the same again, with `Idempotency-Replayed: true` |
//! | of this request, running | `409`, and the client comes again |
//! | of another request | `422` |
//! | cannot be read or written | `503`, before anything is sent upstream |
//!
//! What fails leaves no record, so that the handler runs again; a crash leaves one that ends soon. What
//! protects the write then is the key that travels on: it is derived, so it is the same each time.

mod key;
mod observe;
mod outcome;
mod record;
mod records;
mod task;

use std::convert::Infallible;
use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, MatchedPath, Request};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::future::{BoxFuture, Either};
use problem::{Problem, kind};
use request_context::RequestContext;
use store::{SharedStore, Store};
use tokio::sync::{Semaphore, oneshot};
use tokio_util::task::TaskTracker;
use tower::{Layer, Service};
use tracing::Instrument;

use crate::IdempotencyKey;
use crate::extract::{context_of, unreadable};
use key::Key;
use observe::Counts;
pub(crate) use record::REPLAYED;
#[cfg(fuzzing)]
pub(crate) use record::replayed;
use records::Records;
use task::{Task, Waiting};

/// A layer for `route_layer`, inside of authentication and around every route: reads pass through it.
///
/// It reads the body of a request with a key, so a route with a body limit of its own has that outside.
#[derive(Clone)]
pub struct Writes<S = SharedStore> {
    service: &'static str,
    records: Records<S>,
    counts: Arc<Counts>,
    tasks: TaskTracker,
    places: Arc<Semaphore>,
}

/// So many writes run at once. Each holds a request and, for a moment, its answer.
const MOST_AT_ONCE: usize = 4_096;
/// When a write for which there was no room may come again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

impl<S: Store> Writes<S> {
    /// For the service of this name, with records in `store`.
    ///
    /// A key belongs to one service: the same at another one is another write.
    pub fn new(service: &'static str, store: S) -> Self {
        let (tasks, places) = (TaskTracker::new(), Arc::new(Semaphore::new(MOST_AT_ONCE)));
        Self { service, records: Records::new(store), counts: Arc::default(), tasks, places }
    }

    /// The writes that run. A drain waits for them.
    pub fn tasks(&self) -> TaskTracker {
        self.tasks.clone()
    }
}

impl<S: Clone, I> Layer<I> for Writes<S> {
    type Service = WritesService<S, I>;

    fn layer(&self, inner: I) -> Self::Service {
        WritesService { writes: self.clone(), inner }
    }
}

/// See [`Writes`].
#[derive(Clone)]
pub struct WritesService<S, I> {
    writes: Writes<S>,
    inner: I,
}

impl<S, I> Service<Request> for WritesService<S, I>
where
    S: Store + Clone + 'static,
    I: Service<Request, Response = Response, Error = Infallible, Future: Send> + Clone + Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Either<I::Future, BoxFuture<'static, Result<Response, Infallible>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        if request.method().is_safe() {
            return Either::Left(self.inner.call(request));
        }
        // The one that is ready serves this request; its clone waits for the next.
        let next = self.inner.clone();
        let inner = mem::replace(&mut self.inner, next);
        let writes = self.writes.clone();
        Either::Right(Box::pin(async move {
            Ok(writes.answer(inner, request).await.unwrap_or_else(IntoResponse::into_response))
        }))
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the task of a write ended without an answer")]
struct NoAnswer;

impl<S: Store + Clone + 'static> Writes<S> {
    /// Waits for the answer of a task that does not need to be waited for.
    async fn answer<I>(self, inner: I, mut request: Request) -> Result<Response, Problem>
    where
        I: Service<Request, Response = Response, Error = Infallible, Future: Send> + Send + 'static,
    {
        let ctx = context_of(request.extensions())?;
        // A write that its client has left counts no more against the connections.
        let place = self
            .places
            .clone()
            .try_acquire_owned()
            .map_err(|_| Problem::new(kind::OVERLOADED).retry_after(RETRY_AFTER))?;
        let key = self.key(&ctx, &mut request).await?;
        let (sender, answer) = oneshot::channel();
        let route: Option<MatchedPath> = request.extensions().get().cloned();
        let waiting = Waiting { sender, ctx: ctx.clone(), route };
        let task = Task { records: self.records, counts: self.counts, inner, request, ctx };
        let task = async move {
            let _place = place;
            match key {
                Some(key) => task.once(&key, waiting).await,
                None => task.run(waiting).await,
            }
        };
        drop(self.tasks.spawn(task.in_current_span()));
        answer.await.map_err(|_| Problem::new(kind::INTERNAL).caused_by(NoAnswer))
    }

    /// The key of a request that has one, from then on known to its handler, too.
    async fn key(&self, ctx: &RequestContext, request: &mut Request) -> Result<Option<Key>, Problem> {
        let Some(chosen) = key::chosen(request.headers())? else {
            return Ok(None);
        };
        let body = read(request).await?;
        let key = Key::new(self.service, ctx, &chosen, request, &body);
        request.extensions_mut().insert(IdempotencyKey(key.upstream.clone()));
        Ok(Some(key))
    }
}

/// The whole body, which stays in the request as well.
async fn read(request: &mut Request) -> Result<Bytes, Problem> {
    let mut to_read = Request::new(mem::take(request.body_mut()));
    // The limit is among them.
    *to_read.extensions_mut() = request.extensions().clone();
    let body = Bytes::from_request(to_read, &()).await.map_err(unreadable)?;
    *request.body_mut() = Body::from(body.clone());
    Ok(body)
}
