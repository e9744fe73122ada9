//! What the benchmarks need of the inside. Only with the feature `bench`, and no part of the interface.

use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::{BoxFuture, join};
use garde::Validate;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG};
use http::{HeaderMap, HeaderValue, StatusCode};
use request_context::{AccessToken, Caller, Deadline, RequestContext, RequestId, Scopes, Subject, Trace};
use serde::Deserialize;
use store::SharedStore;
use tower::{Service, ServiceExt, service_fn};

use crate::answer::{Answer, Contract, Reply};
use crate::cache::Freshness;
use crate::call::Call;
use crate::error::Failure;
use crate::layers::{
    attempt, authorize, breaker, cache, classify, coalesce, contract, deadline, hedge, limit, propagate,
    retry, timeout,
};
use crate::{CacheSettings, Cached, Credential, Operation, Outbound, TokenError, TokenSource, Upstream};
use crate::{CallBuilder, UpstreamSettings};

/// Makes one call, whenever it is called.
pub type Ask = Box<dyn Fn() -> BoxFuture<'static, ()>>;
/// The name of what is measured, and how it is set up.
pub type Case = (&'static str, fn() -> Ask);

/// More than a benchmark takes.
const LONG: Duration = Duration::from_hours(1);
const BODY: &str = r#"{"id":"p_1","name":"Walnut desk","priceCents":24900,"currency":"EUR","stock":7}"#;

static READ: Operation = Operation::get("things.read", "/things/{}");
static HIT: Operation =
    Operation::get("things.hit", "/things/{}").cached(Cached::per_subject().fresh_for(LONG));
static MISS: Operation = Operation::get("things.miss", "/things/{}").cached(Cached::per_subject());
static WRITE: Operation = Operation::post("things.write", "/things/{}").invalidates(&["things:{subject}"]);

/// Whole calls, from their parts to the typed answer.
pub const WHOLE: [Case; 4] = [
    ("a read", || whole(&READ)),
    ("a read that is kept: at hand", || whole(&HIT)),
    ("a read that is kept: not at hand", || whole(&MISS)),
    ("a write with a key", || whole(&WRITE)),
];

/// The transport with nothing around it: what each of the others is measured beside.
pub const BARE: Case = ("bare transport", || alone(service_fn(near), &READ));

/// Each layer alone over the bare transport, from top to bottom.
pub const LAYERS: [Case; 16] = [
    ("cache: at hand", || alone(cache::Cache(cache::Keep(service_fn(read))), &HIT)),
    ("cache: not at hand", || alone(cache::Cache(service_fn(read)), &MISS)),
    ("deadline", || alone(deadline::Deadline(service_fn(read)), &READ)),
    ("coalesce: the first", || alone(coalesce::Coalesce(service_fn(read)), &READ)),
    ("coalesce: the first and a second", || two(coalesce::Coalesce(service_fn(read)), &READ)),
    ("cache: keep", || alone(cache::Keep(service_fn(read)), &MISS)),
    ("contract", || alone(contract::Contract(service_fn(near)), &READ)),
    ("timeout", || alone(timeout::Timeout(service_fn(near)), &READ)),
    ("retry", || alone(retry::Retry(service_fn(near)), &READ)),
    ("hedge, armed", || armed(hedge::Hedge(service_fn(near)))),
    ("authorize", || alone(authorize::Authorize(service_fn(near)), &READ)),
    ("attempt", || alone(attempt::Attempt(service_fn(near)), &READ)),
    ("breaker", || alone(breaker::Breaker(service_fn(near)), &READ)),
    ("limit", || alone(limit::Limit(service_fn(near)), &READ)),
    ("propagate", || alone(service_fn(near).map_request(propagate::headers as fn(Call) -> Call), &READ)),
    ("classify", || alone(service_fn(near).map_result(classify::reply as fn(_) -> _), &READ)),
];

/// Putting a call together: its URL, its key, what it shares with its attempts.
pub const BUILD: Case = ("build", || {
    let (upstream, ctx) = (upstream(), request());
    Box::new(move || {
        drop(call(&upstream, &ctx, &READ));
        std::future::ready(()).boxed()
    })
});

#[derive(Clone, Debug, Deserialize, Validate)]
#[serde(rename_all = "camelCase")]
struct Thing {
    #[garde(length(min = 1, max = 64))]
    id: String,
    #[garde(length(max = 200))]
    name: String,
    #[garde(range(min = 0))]
    price_cents: i64,
    #[garde(length(equal = 3))]
    currency: String,
    #[garde(range(max = 1_000_000))]
    stock: u32,
}

/// A service in memory. Its answer is waited for once, so that whatever sets timers for that sets them.
fn near(call: Call) -> BoxFuture<'static, Result<Reply, Failure>> {
    let mut waited = false;
    let reply = futures::future::poll_fn(move |cx| {
        if std::mem::replace(&mut waited, true) {
            return Poll::Ready(Ok(reply(call.facts.operation)));
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    });
    reply.boxed()
}

/// The same, for layers that see what has been read.
fn read(call: Call) -> BoxFuture<'static, Result<Answer, Failure>> {
    let reply = near(call);
    let answer = async {
        let reply = reply.await?;
        Ok(Answer { value: Arc::new(()), size: reply.body.len(), freshness: Freshness::default() })
    };
    answer.boxed()
}

fn reply(operation: &'static Operation) -> Reply {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (CACHE_CONTROL, HeaderValue::from_static("private, max-age=60")),
        (ETAG, HeaderValue::from_static("\"1\"")),
    ];
    Reply {
        operation,
        status: StatusCode::OK,
        headers: HeaderMap::from_iter(headers),
        body: Bytes::from_static(BODY.as_bytes()),
        stream: None,
        step: None,
    }
}

struct OneToken(AccessToken);

impl TokenSource for OneToken {
    fn token<'a>(
        &'a self,
        _: &'a RequestContext,
        _: Credential,
        _: &'static str,
        _: Option<&'a AccessToken>,
    ) -> BoxFuture<'a, Result<AccessToken, TokenError>> {
        std::future::ready(Ok(self.0.clone())).boxed()
    }
}

/// With everything on.
fn upstream() -> Upstream {
    let url = "http://things.internal:8080/api".parse().expect("a URL");
    let tokens = OneToken(AccessToken::new("token"));
    let channel = SharedStore::memory().invalidations();
    let outbound = Outbound::keeping(Arc::new(tokens), &CacheSettings::default(), channel);
    Upstream::over(service_fn(near), "things", &UpstreamSettings::at(url), &outbound)
}

fn request() -> RequestContext {
    let caller = Caller {
        realm: "https://issuer.example".into(),
        subject: Subject::parse("u_1").expect("a subject"),
        scopes: Scopes::parse("openid"),
        token: AccessToken::new("token"),
    };
    RequestContext::new(RequestId::generate(), Trace::start(), Deadline::after(LONG)).with_caller(caller)
}

fn parts<'a>(
    upstream: &'a Upstream,
    ctx: &'a RequestContext,
    operation: &'static Operation,
) -> CallBuilder<'a> {
    let key = (!operation.is_read()).then(|| HeaderValue::from_static("a-key"));
    upstream.call(ctx, operation).segment("p_1").query("limit", 50).idempotency_key(key)
}

fn call(upstream: &Upstream, ctx: &RequestContext, operation: &'static Operation) -> Call {
    parts(upstream, ctx, operation).finish(Contract::json::<Thing>()).expect("the call is complete")
}

fn whole(operation: &'static Operation) -> Ask {
    let (upstream, ctx) = (upstream(), request());
    Box::new(move || {
        let (upstream, ctx) = (upstream.clone(), ctx.clone());
        let ask = async move {
            let thing: Result<Thing, _> = parts(&upstream, &ctx, operation).fetch().await;
            drop(thing.expect("the service answers"));
        };
        ask.boxed()
    })
}

fn alone<S, A>(layered: S, operation: &'static Operation) -> Ask
where
    S: Service<Call, Response = A, Error = Failure, Future: Send> + Clone + Send + 'static,
    A: Send + 'static,
{
    repeated(layered, call(&upstream(), &request(), operation))
}

fn two<S>(layered: S, operation: &'static Operation) -> Ask
where
    S: Service<Call, Response = Answer, Error = Failure, Future: Send> + Clone + Send + 'static,
{
    let one = alone(layered, operation);
    Box::new(move || join(one(), one()).map(drop).boxed())
}

/// A hedge that knows how long its operation takes.
fn armed<S>(layered: S) -> Ask
where
    S: Service<Call, Response = Reply, Error = Failure, Future: Send> + Clone + Send + 'static,
{
    let call = call(&upstream(), &request(), &READ);
    (0..100).for_each(|_| call.facts.track.latency().record(Duration::from_millis(20)));
    repeated(layered, call)
}

fn repeated<S, A>(service: S, call: Call) -> Ask
where
    S: Service<Call, Response = A, Error = Failure, Future: Send> + Clone + Send + 'static,
    A: Send + 'static,
{
    Box::new(move || {
        let (service, call) = (service.clone(), call.clone());
        let ask = async move { drop(service.oneshot(call).await.expect("the service answers")) };
        ask.boxed()
    })
}
