//! A service whose writes count, with `Writes` around it.

use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post as on_post;
use http::request::{Builder, Parts};
use middleware::{IdempotencyKey, Path, RequestSettings, Writes, authentication, stack};
use problem::{Naming, Problem, ProblemKind, kind};
use request_context::{AccessToken, Authenticate, Caller, RequestContext, Scopes, Subject};
use tokio::sync::Semaphore;

use super::store::FaultyStore;
use crate::support::{Answer, post, public_url, send, unobserved};

/// More than an answer may have to be kept.
const LARGE: usize = 1024 * 1024 + 1;

/// One replica of a service.
#[derive(Clone)]
pub(crate) struct Shop {
    pub(crate) app: Router,
    pub(crate) store: FaultyStore,
    pub(crate) writes: Writes<FaultyStore>,
    pub(crate) effects: Effects,
    deadline: Duration,
}

/// What reached the services behind.
#[derive(Clone)]
pub(crate) struct Effects {
    /// The keys that travelled on, empty for none.
    keys: Arc<Mutex<Vec<String>>>,
    /// A slow write needs a permit to end.
    pub(crate) gate: Arc<Semaphore>,
    /// A slow write that begins leaves a permit.
    pub(crate) begun: Arc<Semaphore>,
}

impl Shop {
    pub(crate) fn new() -> Self {
        Self::with_deadline(RequestSettings::default().deadline)
    }

    /// One for tests in real time, which must not depend on how much of it passes.
    pub(crate) fn patient() -> Self {
        Self::with_deadline(Duration::from_mins(10))
    }

    fn with_deadline(deadline: Duration) -> Self {
        let [gate, begun] = [(); 2].map(|()| Arc::new(Semaphore::new(0)));
        let effects = Effects { keys: Arc::default(), gate, begun };
        Self::replica("web-bff", FaultyStore::new(), effects, deadline)
    }

    /// Another service with the same store and the same services behind.
    pub(crate) fn sibling(&self, service: &'static str) -> Self {
        Self::replica(service, self.store.clone(), self.effects.clone(), self.deadline)
    }

    fn replica(service: &'static str, store: FaultyStore, effects: Effects, deadline: Duration) -> Self {
        let writes = Writes::new(service, store.clone());
        let routes = Router::new()
            .route("/orders", on_post(place).put(place).get(slow))
            .route("/orders/{id}", on_post(place))
            .route("/status/{code}", on_post(status))
            .route("/sold-out", on_post(sold_out))
            .route("/slow", on_post(slow))
            .route("/hangs", on_post(hangs))
            .route("/panics", on_post(panics))
            .route("/large", on_post(large))
            .route("/receipt", on_post(receipt))
            .route_layer((authentication(Bearer), writes.clone()))
            .with_state(effects.clone());
        let optional_deadline = deadline;
        let settings = RequestSettings { deadline, optional_deadline, ..RequestSettings::default() };
        let app =
            stack(routes, &settings, &public_url("http://127.0.0.1:8080"), Naming::CamelCase, unobserved());
        Self { app, store, writes, effects, deadline }
    }

    pub(crate) async fn send(&self, request: Builder, body: &str) -> Answer {
        send(&self.app, request, body.to_owned()).await
    }

    /// Ends when no write runs.
    pub(crate) async fn idle(&self) {
        let tasks = self.writes.tasks();
        tasks.close();
        tasks.wait().await;
        tasks.reopen();
    }
}

impl Effects {
    pub(crate) fn keys(&self) -> Vec<String> {
        self.keys.lock().unwrap().clone()
    }

    /// Notes a write, and says how many there were before.
    fn note(&self, key: Option<IdempotencyKey>) -> usize {
        let key = key.map(IdempotencyKey::for_upstream);
        let mut keys = self.keys.lock().unwrap();
        keys.push(key.map_or(String::new(), |key| key.to_str().unwrap().to_owned()));
        keys.len() - 1
    }
}

/// `POST path` of `u_42` with the key `k-1`.
pub(crate) fn keyed(path: &str) -> Builder {
    post(path).header("authorization", "Bearer u_42").header("idempotency-key", "k-1")
}

/// `POST path` of `u_42` without a key.
pub(crate) fn keyless(path: &str) -> Builder {
    post(path).header("authorization", "Bearer u_42")
}

async fn place(State(effects): State<Effects>, key: Option<IdempotencyKey>) -> Response {
    let number = effects.note(key);
    let headers = [
        ("content-type", "application/json".to_owned()),
        ("location", format!("/orders/o_{number}")),
        ("server-timing", "orders;dur=3".to_owned()),
        ("set-cookie", "sid=s3cret".to_owned()),
    ];
    (StatusCode::CREATED, headers, format!(r#"{{"id":"o_{number}"}}"#)).into_response()
}

async fn status(
    State(effects): State<Effects>,
    Path(code): Path<u16>,
    key: Option<IdempotencyKey>,
) -> StatusCode {
    effects.note(key);
    StatusCode::from_u16(code).unwrap()
}

async fn sold_out(State(effects): State<Effects>, key: Option<IdempotencyKey>) -> Problem {
    let number = effects.note(key);
    let kind = ProblemKind {
        slug: "out-of-stock".into(),
        title: "There are not enough".into(),
        status: StatusCode::CONFLICT,
    };
    let problem =
        Problem::new(kind).detail(format!("There were {number} left.")).error("/quantity", "is too many");
    problem.caused_by(std::io::Error::other("orders said so"))
}

async fn slow(State(effects): State<Effects>, key: Option<IdempotencyKey>) -> Response {
    effects.begun.add_permits(1);
    effects.gate.acquire().await.unwrap().forget();
    place(State(effects), key).await
}

async fn hangs(State(effects): State<Effects>, key: Option<IdempotencyKey>) {
    effects.note(key);
    pending::<()>().await;
}

async fn panics(State(effects): State<Effects>, key: Option<IdempotencyKey>) -> Response {
    let number = effects.note(key);
    panic!("no plan for {number}");
}

async fn large(State(effects): State<Effects>, key: Option<IdempotencyKey>) -> Vec<u8> {
    let number = effects.note(key);
    vec![b'0' + u8::try_from(number).unwrap(); LARGE]
}

async fn receipt() -> ([(&'static str, &'static str); 1], String) {
    ([("content-type", "text/plain")], "one lamp\n".repeat(1000))
}

/// `Bearer u_42` is the user `u_42`, and `Bearer u_42 orders:read` is, too, with fewer scopes.
#[derive(Clone)]
struct Bearer;

impl Authenticate for Bearer {
    type Refusal = Problem;

    async fn authenticate(&self, _: &RequestContext, head: &Parts) -> Result<Caller, Problem> {
        let token =
            head.headers.get("authorization").and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        let token = token.ok_or_else(|| Problem::new(kind::UNAUTHENTICATED).challenge("Bearer"))?;
        let (subject, scopes) = token.split_once(' ').unwrap_or((token, "orders:read orders:write"));
        let (realm, subject) =
            subject.split_once('@').map_or(("id.example", subject), |(name, realm)| (realm, name));
        Ok(Caller {
            realm: realm.into(),
            subject: Subject::parse(subject).unwrap(),
            scopes: Scopes::parse(scopes),
            token: AccessToken::new(token),
        })
    }
}

/// A request as [`tower::ServiceExt::oneshot`] wants it.
pub(crate) fn whole(request: Builder) -> Request {
    request.body("{}".into()).unwrap()
}
