//! Lets each caller ask as often as its plan allows, and says how much of that is left
//! (draft-ietf-httpapi-ratelimit-headers-11).
//!
//! All replicas take from one quota, in the store. While that cannot be asked, each gives the whole quota by itself:
//! a caller must not be refused because of what it cannot know.

mod headers;
mod plan;

use std::convert::Infallible;
use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use futures::future::BoxFuture;
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Meter};
use problem::{Problem, kind};
use request_context::{Caller, RequestContext};
use store::{Bounds, MemoryStore, SharedStore, Store, StoreError, Taken};
use tower::{Layer, Service};

use crate::extract::context_of;
pub use plan::{Plan, PlanSettings};

/// What a replica can give by itself: so many callers at once.
const ALONE: Bounds = Bounds { entries: 10_000, bytes: 0 };

/// A layer for `route_layer`, inside of authentication and outside of all that costs something.
///
/// Whatever came of a request that it let through counts, and carries the headers.
#[derive(Clone)]
pub struct Quotas<S = SharedStore>(Arc<Inner<S>>);

type PlanOf = dyn Fn(&Caller) -> Option<Arc<Plan>> + Send + Sync;

struct Inner<S> {
    service: &'static str,
    plan_of: Box<PlanOf>,
    store: S,
    alone: MemoryStore,
    is_alone: AtomicBool,
    /// None as long as nobody observes.
    refused: OnceLock<Counter<u64>>,
}

/// How much of a plan is left: a request extension for handlers that show it.
#[derive(Clone, Debug)]
pub struct Allowance {
    /// What the caller may do.
    pub plan: Arc<Plan>,
    /// How many requests are left after this one.
    pub remaining: u32,
    /// In how many seconds all of them are back, if none is made.
    pub resets_in_seconds: u64,
}

impl<S: Store> Quotas<S> {
    /// For the service of this name, whose callers have these plans. Who has none is not limited.
    pub fn new(
        service: &'static str,
        store: S,
        plan_of: impl Fn(&Caller) -> Option<Arc<Plan>> + Send + Sync + 'static,
    ) -> Self {
        let (alone, is_alone, refused) = (MemoryStore::new(ALONE), AtomicBool::new(false), OnceLock::new());
        Self(Arc::new(Inner { service, plan_of: Box::new(plan_of), store, alone, is_alone, refused }))
    }

    /// Shows this meter how often requests are refused, by plan. Once.
    pub fn observe(&self, meter: &Meter) {
        self.0.refused.get_or_init(|| meter.u64_counter("triptych.quota.refused").build());
    }
}

impl<S: Store> Inner<S> {
    /// Takes one request of the caller's plan.
    async fn take(&self, ctx: &RequestContext) -> Option<(Arc<Plan>, Taken)> {
        let caller = ctx.caller()?;
        let plan = (self.plan_of)(caller)?;
        // Neither of the first two has a blank in it.
        let key = format!("quota:1:{} {} {}", self.service, caller.subject.as_str(), caller.realm);
        let taken = match self.store.take(&key, plan.rate()).await {
            Ok(taken) => {
                self.together();
                Some(taken)
            }
            Err(error) => {
                self.alone(&error);
                // Full: of so many callers none is worth refusing.
                self.alone.take(&key, plan.rate()).await.ok()
            }
        };
        taken.map(|taken| (plan, taken))
    }

    fn refused(&self, plan: &Plan) {
        if let Some(refused) = self.refused.get() {
            refused.add(1, &[KeyValue::new("triptych.plan", plan.name().to_owned())]);
        }
    }

    fn together(&self) {
        if self.is_alone.load(Ordering::Relaxed) && self.is_alone.swap(false, Ordering::Relaxed) {
            tracing::info!("quotas are shared with the other replicas again");
        }
    }

    fn alone(&self, error: &StoreError) {
        if !self.is_alone.swap(true, Ordering::Relaxed) {
            let cause = std::error::Error::source(error).map(ToString::to_string);
            tracing::warn!(%error, cause, "quotas are not shared: this replica gives whole ones by itself");
        }
    }
}

impl<S, I> Layer<I> for Quotas<S> {
    type Service = QuotasService<S, I>;

    fn layer(&self, inner: I) -> Self::Service {
        QuotasService { quotas: Self(Arc::clone(&self.0)), inner }
    }
}

/// See [`Quotas`].
#[derive(Clone)]
pub struct QuotasService<S, I> {
    quotas: Quotas<S>,
    inner: I,
}

impl<S, I> Service<Request> for QuotasService<S, I>
where
    S: Store + Clone + 'static,
    I: Service<Request, Response = Response, Error = Infallible, Future: Send> + Clone + Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        // The one that is ready serves this request; its clone waits for the next.
        let next = self.inner.clone();
        let mut inner = mem::replace(&mut self.inner, next);
        let quotas = self.quotas.clone();
        Box::pin(async move {
            let ctx = match context_of(request.extensions()) {
                Ok(ctx) => ctx,
                Err(problem) => return Ok(problem.into_response()),
            };
            let Some((plan, taken)) = quotas.0.take(&ctx).await else {
                return inner.call(request).await;
            };
            let mut response = if taken.allowed {
                request.extensions_mut().insert(Allowance::new(Arc::clone(&plan), &taken));
                inner.call(request).await?
            } else {
                quotas.0.refused(&plan);
                used_up(&plan, &taken).into_response()
            };
            headers::write(response.headers_mut(), &plan, &taken);
            Ok(response)
        })
    }
}

impl Allowance {
    fn new(plan: Arc<Plan>, taken: &Taken) -> Self {
        Self { plan, remaining: taken.remaining, resets_in_seconds: headers::seconds(taken.reset) }
    }
}

fn used_up(plan: &Plan, taken: &Taken) -> Problem {
    let detail = format!("The plan {} allows {}.", plan.name(), plan.words());
    Problem::new(kind::TOO_MANY_REQUESTS).detail(detail).retry_after(taken.next)
}
