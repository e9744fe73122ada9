//! The whole stack over a service in memory, whose time is tokio's and can be paused.

mod attempts;
mod cache;
mod deadline;
mod events;
mod interleavings;
mod observe;
mod record;
mod sharing;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use garde::Validate;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderName, HeaderValue, StatusCode};
use request_context::{
    AccessToken, Caller, Deadline, Priority, RequestContext, RequestId, Scopes, Subject, Trace,
};
use serde::Deserialize;
use store::SharedStore;
use tower::Service;

use crate::answer::Reply;
use crate::call::Call;
use crate::error::{CallErrorKind, Failure};
use crate::{CacheSettings, Cached, CallError, Credential, Operation, Outbound, TokenError, TokenSource};
use crate::{Upstream, UpstreamSettings};

const SECOND: Duration = Duration::from_secs(1);

static GET: Operation = Operation::get("things.get", "/things/{}").as_service();
static MINE: Operation = Operation::get("things.mine", "/mine/{}");
static POST: Operation = Operation::post("things.post", "/things/{}");
static KEPT: Operation = Operation::get("things.kept", "/kept/{}").as_service().cached(
    Cached::public()
        .fresh_for(Duration::from_secs(10))
        .stale_while_revalidate(Duration::from_secs(20))
        .stale_if_error(Duration::from_hours(1))
        .tags(&["kept"]),
);
static MY_KEPT: Operation = Operation::get("things.my_kept", "/my-kept/{}").cached(
    Cached::per_subject()
        .fresh_for(Duration::from_secs(10))
        .stale_if_error(Duration::from_hours(1))
        .tags(&["mine:{subject}"]),
);
static CHANGE: Operation = Operation::post("things.change", "/mine/{}").invalidates(&["mine:{subject}"]);

/// What a thing says: whatever its service made of the call.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Validate)]
struct Said {
    #[garde(skip)]
    said: String,
}

/// How a service answers one attempt.
type Behaviour = dyn Fn(&Call) -> BoxFuture<'static, Result<Reply, Failure>> + Send + Sync;

/// A service in memory.
#[derive(Clone)]
struct Simulated {
    behaviour: Arc<Mutex<Arc<Behaviour>>>,
    /// `/path?query` of each attempt.
    asked: Arc<Mutex<Vec<String>>>,
    now: Arc<AtomicUsize>,
}

/// Counts an attempt as long as it runs, however it ends.
struct Running(Arc<AtomicUsize>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Simulated {
    /// From now on attempts are answered so.
    fn answers<F>(&self, behaviour: impl Fn(&Call) -> F + Send + Sync + 'static)
    where
        F: Future<Output = Result<Reply, Failure>> + Send + 'static,
    {
        *self.behaviour.lock().unwrap() = Arc::new(move |call| behaviour(call).boxed());
    }

    /// How many attempts it has seen.
    fn attempts(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    /// How many attempts are running.
    fn running(&self) -> usize {
        self.now.load(Ordering::Relaxed)
    }
}

impl Service<Call> for Simulated {
    type Response = Reply;
    type Error = Failure;
    type Future = BoxFuture<'static, Result<Reply, Failure>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, call: Call) -> Self::Future {
        let url = &call.facts.url;
        self.asked.lock().unwrap().push(url[url::Position::BeforePath..].to_owned());
        self.now.fetch_add(1, Ordering::Relaxed);
        let running = Running(self.now.clone());
        let behaviour = self.behaviour.lock().unwrap().clone();
        let reply = behaviour(&call);
        Box::pin(async move {
            let _running = running;
            reply.await
        })
    }
}

struct World {
    service: Simulated,
    upstream: Upstream,
    outbound: Outbound,
}

impl World {
    /// A service that says `ok`, with everything on.
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut UpstreamSettings)) -> Self {
        let mut settings = UpstreamSettings::at("http://things".parse().unwrap());
        change(&mut settings);
        let says_ok: Arc<Behaviour> = Arc::new(|call| std::future::ready(says(call, "ok")).boxed());
        let service = Simulated {
            behaviour: Arc::new(Mutex::new(says_ok)),
            asked: Arc::default(),
            now: Arc::default(),
        };
        let outbound = keeping(&CacheSettings::default());
        let upstream = Upstream::over(service.clone(), "things", &settings, &outbound);
        Self { service, upstream, outbound }
    }

    async fn get(
        &self,
        ctx: &RequestContext,
        operation: &'static Operation,
        id: &str,
    ) -> Result<Said, CallError> {
        self.upstream.call(ctx, operation).segment(id).fetch().await
    }

    /// The counts of an operation, as JSON.
    fn counts(&self, operation: &Operation) -> serde_json::Value {
        let state = serde_json::to_value(self.outbound.state()).unwrap();
        state["upstreams"]["things"]["operations"][operation.name].clone()
    }
}

fn keeping(settings: &CacheSettings) -> Outbound {
    Outbound::keeping(Arc::new(OneToken), settings, SharedStore::memory().invalidations())
}

/// A request of this subject with this much time.
fn request_of(subject: &str, left: Duration) -> RequestContext {
    let caller = Caller {
        realm: "https://issuer.example".into(),
        subject: Subject::parse(subject).unwrap(),
        scopes: Scopes::parse("openid"),
        token: AccessToken::new("token"),
    };
    RequestContext::new(RequestId::generate(), Trace::start(), Deadline::after(left))
        .with_patience(left)
        .with_caller(caller)
}

/// A request with two seconds.
fn request() -> RequestContext {
    request_of("u_1", 2 * SECOND)
}

/// The header with this name that an attempt would have.
fn header<'a>(call: &'a Call, name: &str) -> Option<&'a str> {
    call.headers.as_ref()?.get(name).map(|value| value.to_str().unwrap())
}

/// A success that says this.
#[expect(clippy::unnecessary_wraps, reason = "it is what an attempt may be answered with")]
fn says(call: &Call, text: &str) -> Result<Reply, Failure> {
    Ok(reply(call, 200, &[], &serde_json::json!({"said": text}).to_string()))
}

fn reply(call: &Call, status: u16, headers: &[(HeaderName, &str)], body: &str) -> Reply {
    let json = (CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let headers = headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap()));
    Reply {
        operation: call.facts.operation,
        status: StatusCode::from_u16(status).unwrap(),
        headers: headers.chain([json]).collect(),
        body: Bytes::from(body.to_owned()),
        stream: None,
        step: None,
    }
}

struct OneToken;

impl TokenSource for OneToken {
    fn token<'a>(
        &'a self,
        ctx: &'a RequestContext,
        _: Credential,
        _: &'static str,
        rejected: Option<&'a AccessToken>,
    ) -> BoxFuture<'a, Result<AccessToken, TokenError>> {
        let own = ctx.caller().map_or_else(|| AccessToken::new("token"), |caller| caller.token.clone());
        let token = rejected.map_or(Ok(own), |_| Err(TokenError::Refused));
        std::future::ready(token).boxed()
    }
}
