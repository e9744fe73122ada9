//! One line for each request, which tells what happened and nothing about whom.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::routing::get as on_get;
use futures::{StreamExt, stream};
use middleware::{Ending, Path};
use problem::{Causes, Problem, kind};
use serde_json::Value;
use tower::ServiceExt;
use tracing::Dispatch;
use tracing::subscriber::DefaultGuard;

use crate::support::{PROXY, app, from, get, send};

/// Hears everything and tells nobody. While there is but one subscriber, an event that another thread comes to
/// first is taken to interest nobody; with this one there are always two.
static SECOND: LazyLock<Dispatch> = LazyLock::new(|| {
    let everything = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE);
    Dispatch::new(everything.with_writer(io::sink).finish())
});

#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// Catches what this thread logs, at every level, until the guard is dropped.
    pub(crate) fn start() -> (Self, DefaultGuard) {
        LazyLock::force(&SECOND);
        let log = Self::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .json()
            .flatten_event(true)
            .without_time()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(move || writer.clone())
            .finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    fn events(&self) -> Vec<Value> {
        self.events_of("access_log")
    }

    pub(crate) fn events_of(&self, target: &str) -> Vec<Value> {
        let text = self.text();
        let events = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        events.filter(|event| event["target"] == target).collect()
    }
}

fn routes() -> Router {
    Router::new()
        .route("/orders/{id}", on_get(|Path(id): Path<String>| async move { id }))
        .route("/degraded", on_get(degraded))
        .route("/lost", on_get(lost))
        .route("/panic", on_get(panics))
        .route("/slow", on_get(|| tokio::time::sleep(Duration::from_hours(1))))
}

async fn degraded() -> Response {
    let cause = |text: &str| -> problem::Cause { Arc::new(io::Error::other(text.to_owned())) };
    let mut response = "fine".into_response();
    let causes = Causes(vec![("promos".into(), cause("timed out")), ("usage".into(), cause("forged\nline"))]);
    response.extensions_mut().insert(causes);
    response
}

async fn lost() -> Problem {
    #[derive(Debug, thiserror::Error)]
    #[error("users.get failed")]
    struct Failed(#[source] io::Error);
    Problem::new(kind::UNAVAILABLE).caused_by(Failed(io::Error::other("connection reset")))
}

async fn panics() -> Response {
    panic!("no plan");
}

#[tokio::test]
async fn a_request_is_one_event() {
    let (log, _guard) = Log::start();
    let request = get("/orders/o_17?token=secret")
        .header("x-request-id", "abc")
        .header("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
        .extension(from(PROXY));
    send(&app(routes()), request, "").await;
    let events = log.events();
    assert_eq!(events.len(), 1);
    insta::assert_json_snapshot!(events[0], { ".duration_ms" => "[ms]", ".span_id" => "[id]" }, @r#"
    {
      "duration_ms": "[ms]",
      "http.request.method": "GET",
      "http.response.body.size": 4,
      "http.response.status_code": 200,
      "http.route": "/orders/{id}",
      "level": "INFO",
      "message": "request",
      "request_id": "abc",
      "span_id": "[id]",
      "target": "access_log",
      "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736"
    }
    "#);
}

#[tokio::test(start_paused = true)]
async fn what_happened_is_in_it() {
    let app = app(routes());
    let mut table = String::new();
    for path in ["/nowhere", "/degraded", "/lost", "/panic", "/slow"] {
        let (log, _guard) = Log::start();
        send(&app, get(path), "").await;
        let event = log.events().remove(0);
        let field = |name: &str| event.get(name).map_or("-".into(), Value::to_string);
        let fields = ["level", "http.route", "http.response.status_code", "error.type", "cause", "warnings"];
        writeln!(table, "{}", fields.map(field).join(" | ")).unwrap();
    }
    insta::assert_snapshot!(table, @r#"
    "INFO" | "unmatched" | 404 | "not-found" | - | -
    "INFO" | "/degraded" | 200 | - | - | "promos: timed out; usage: forged\\nline"
    "WARN" | "/lost" | 503 | "unavailable" | "users.get failed: connection reset" | -
    "WARN" | "/panic" | 500 | "internal" | "panicked: no plan" | -
    "WARN" | "/slow" | 504 | "deadline-exceeded" | - | -
    "#);
}

#[tokio::test(start_paused = true)]
async fn a_request_without_an_answer_is_logged_and_blames_nobody() {
    let (log, _guard) = Log::start();
    let request = get("/slow").body(axum::body::Body::empty()).unwrap();
    let answer = app(routes()).oneshot(request);
    assert!(tokio::time::timeout(Duration::from_millis(70), answer).await.is_err());
    let events = log.events();
    assert_eq!(events.len(), 1);
    insta::assert_json_snapshot!(events[0], {
        ".duration_ms" => "[ms]", ".request_id" => "[id]", ".span_id" => "[id]", ".trace_id" => "[id]",
    }, @r#"
    {
      "duration_ms": "[ms]",
      "error.type": "cancelled",
      "http.request.method": "GET",
      "http.route": "/slow",
      "level": "INFO",
      "message": "request",
      "request_id": "[id]",
      "span_id": "[id]",
      "target": "access_log",
      "trace_id": "[id]"
    }
    "#);
}

#[tokio::test]
async fn nothing_secret_and_nobody_is_logged() {
    let (log, _guard) = Log::start();
    let app = app(routes());
    for path in ["/orders/u_42", "/nowhere/u_42", "/panic", "/lost"] {
        let request = Request::builder().method("G-s3cret").uri(format!("{path}?access_token=s3cret"));
        for request in [request, get(&format!("{path}?access_token=s3cret"))] {
            let request = request
                .header("authorization", "Bearer s3cret")
                .header("cookie", "sid=s3cret")
                .header("x-api-key", "tpk_a_s3cret")
                .header("x-user-id", "u_42");
            send(&app, request, "").await;
        }
    }
    assert_eq!(log.events().len(), 8);
    for secret in ["s3cret", "u_42"] {
        assert!(!log.text().contains(secret), "{secret} in\n{}", log.text());
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_logged_when_it_has_ended() {
    let routes = Router::new().route("/events", on_get(streaming));
    let app = app(routes);
    for (frames, expected) in
        [(usize::MAX, (6, 3_000.0, "drain")), (2, (4, 2_000.0, "client")), (0, (0, 0.0, "client"))]
    {
        let (log, _guard) = Log::start();
        let request = get("/events").body(axum::body::Body::empty()).unwrap();
        let mut stream = app.clone().oneshot(request).await.unwrap().into_body().into_data_stream();
        assert_eq!(log.events().len(), 0, "it has not ended");
        for _ in 0..frames {
            if stream.next().await.is_none() {
                break;
            }
        }
        drop(stream);
        let event = log.events().remove(0);
        assert_eq!((log.events().len(), &event["http.response.status_code"]), (1, &200.into()));
        let (size, after, why) = expected;
        assert_eq!((&event["http.response.body.size"], &event["stream.ended"]), (&size.into(), &why.into()));
        let late = event["duration_ms"].as_f64().unwrap() - after;
        assert!((0.0..50.0).contains(&late), "{event}");
    }
}

/// Three frames in three seconds, and then a drain.
async fn streaming() -> Response {
    let ending = Ending::default();
    let why = ending.clone();
    let frames = stream::unfold(0, move |frame| {
        let why = why.clone();
        async move {
            if frame == 3 {
                why.because("drain");
                return None;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
            Some((Ok::<_, io::Error>(":\n"), frame + 1))
        }
    });
    let mut response = axum::body::Body::from_stream(frames).into_response();
    response.extensions_mut().insert(ending);
    response
}
