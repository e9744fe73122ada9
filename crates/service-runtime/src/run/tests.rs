use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::routing::get;
use bytes::Bytes;
use futures::StreamExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::*;
use crate::settings::Secret;

struct Running {
    public: SocketAddr,
    admin: SocketAddr,
    signals: mpsc::Sender<Signal>,
    /// `/slow` was asked.
    asked: Arc<Notify>,
    /// `/slow` may answer.
    release: Arc<Notify>,
    tasks: TaskTracker,
    outcome: JoinHandle<Result<(), Failure>>,
}

async fn start(token: Option<&str>, lame_duck: Duration) -> Running {
    start_with(token, ServerSettings { lame_duck, ..ServerSettings::default() }).await
}

async fn start_with(token: Option<&str>, server: ServerSettings) -> Running {
    let release = Arc::new(Notify::new());
    let asked = Arc::new(Notify::new());
    let (gate, arrival) = (Arc::clone(&release), Arc::clone(&asked));
    let slow = async move || {
        arrival.notify_one();
        gate.notified().await;
        "slow"
    };
    let tasks = TaskTracker::new();
    let closing = CancellationToken::new();
    let streams = closing.clone();
    let events = async move || events(streams.clone());
    let router = Router::new()
        .route("/", get(async || "fast"))
        .route("/slow", get(slow))
        .route("/events", get(events));
    let admin = Router::new().route("/inspector", get(async || "inspected"));
    let app = App { admin, ..App::new(router).tasks(tasks.clone()).closing(closing) };
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let plan = Plan {
        name: "tiny",
        version: "1.2.3",
        listen: any,
        admin: AdminSettings { listen: any, token: token.map(Secret::new) },
        server,
        config: "{\"listen\": 1}".to_owned(),
    };
    let bound = Bound::open(plan, app, &Telemetry::off()).await.expect("port 0 is never taken");
    let (sender, signals) = Signals::scripted();
    Running {
        public: bound.public.local_addr().expect("it is bound"),
        admin: bound.admin.local_addr().expect("it is bound"),
        signals: sender,
        asked,
        release,
        tasks,
        outcome: tokio::spawn(bound.run(signals)),
    }
}

/// A stream without an end but that of the service.
fn events(closing: CancellationToken) -> Body {
    let first = futures::stream::iter([Bytes::from_static(b"retry: 3000\n\n")]);
    let last = futures::stream::once(async move {
        closing.cancelled().await;
        Bytes::from_static(b"retry: 1000\n\n")
    });
    Body::from_stream(first.chain(last).map(Ok::<_, Infallible>))
}

async fn connect(address: SocketAddr, path: &str, more: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    let head = format!("GET {path} HTTP/1.1\r\nhost: tiny\r\n{more}\r\n");
    stream.write_all(head.as_bytes()).await.expect("it reads");
    stream
}

async fn finish(mut stream: TcpStream) -> String {
    let mut answer = String::new();
    let read = timeout(Duration::from_secs(20), stream.read_to_string(&mut answer));
    read.await.expect("it answers").expect("it answers text");
    answer
}

/// The status of an answer, and what follows its head.
async fn ask(address: SocketAddr, path: &str, more: &str) -> (u16, String) {
    let answer = finish(connect(address, path, &format!("connection: close\r\n{more}")).await).await;
    let (head, body) = answer.split_once("\r\n\r\n").expect("an answer has a head");
    (head[9..12].parse().expect("a status"), body.to_owned())
}

async fn wait_until(admin: SocketAddr, status: u16) -> String {
    loop {
        let (found, body) = ask(admin, "/readyz", "").await;
        if found == status {
            return body;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_drain_answers_what_runs_and_then_refuses() {
    let service = start(None, Duration::from_millis(300)).await;
    assert_eq!(wait_until(service.admin, 200).await, r#"{"status":"ready"}"#);
    let running = connect(service.public, "/slow", "").await;
    service.asked.notified().await;
    let idle = connect(service.public, "/", "").await;

    service.signals.send(Signal::Terminate).await.unwrap();
    assert_eq!(wait_until(service.admin, 503).await, r#"{"status":"draining"}"#);
    assert_eq!(ask(service.admin, "/livez", "").await, (200, r#"{"status":"live"}"#.to_owned()));
    // The lame duck still serves, and says that it is leaving.
    let late = finish(connect(service.public, "/", "").await).await;
    assert!(late.ends_with("fast") && late.contains("connection: close"), "{late}");
    assert!(finish(idle).await.ends_with("fast"));
    while TcpStream::connect(service.public).await.is_ok() {
        tokio::task::yield_now().await;
    }

    assert!(!service.outcome.is_finished());
    service.release.notify_one();
    let answer = finish(running).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("slow"), "{answer}");
    assert_eq!(service.outcome.await.unwrap(), Ok(()));
}

#[tokio::test]
async fn a_drain_waits_for_what_outlives_its_request() {
    let service = start(None, Duration::ZERO).await;
    let (end, ended) = oneshot::channel::<()>();
    service.tasks.spawn(ended);
    service.signals.send(Signal::Terminate).await.unwrap();
    while TcpStream::connect(service.public).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert_eq!(wait_until(service.admin, 503).await, r#"{"status":"draining"}"#);
    assert!(!service.outcome.is_finished());
    end.send(()).unwrap();
    assert_eq!(service.outcome.await.unwrap(), Ok(()));
}

#[tokio::test]
async fn a_drain_waits_no_longer_than_its_timeout() {
    let drain_timeout = Duration::from_millis(50);
    let server = ServerSettings { lame_duck: Duration::ZERO, drain_timeout, ..ServerSettings::default() };
    let service = start_with(None, server).await;
    service.tasks.spawn(std::future::pending::<()>());
    service.signals.send(Signal::Terminate).await.unwrap();
    assert_eq!(service.outcome.await.unwrap(), Ok(()));
}

#[tokio::test]
async fn a_drain_ends_event_streams_and_does_not_cut_them() {
    // Nobody waits for so long: a stream that did not end would hang the test.
    let server = ServerSettings {
        lame_duck: Duration::ZERO,
        drain_timeout: Duration::from_hours(1),
        ..ServerSettings::default()
    };
    let service = start_with(None, server).await;
    let mut streams = vec![];
    for _ in 0..100 {
        let mut stream = connect(service.public, "/events", "").await;
        let mut begun = String::new();
        while !begun.contains("retry: 3000") {
            let mut some = [0; 1024];
            let length = stream.read(&mut some).await.unwrap();
            begun.push_str(std::str::from_utf8(&some[..length]).unwrap());
        }
        streams.push(stream);
    }
    service.signals.send(Signal::Terminate).await.unwrap();
    for stream in streams {
        let end = finish(stream).await;
        // The last chunk, which is empty: whoever is cut off does not see it.
        assert!(end.ends_with("retry: 1000\n\n\r\n0\r\n\r\n"), "{end:?}");
    }
    assert_eq!(service.outcome.await.unwrap(), Ok(()));
}

#[tokio::test]
async fn an_interrupt_skips_the_lame_duck_and_a_second_signal_ends_at_once() {
    let service = start(None, Duration::from_hours(1)).await;
    let _running = connect(service.public, "/slow", "").await;
    service.asked.notified().await;
    service.signals.send(Signal::Interrupt).await.unwrap();
    while TcpStream::connect(service.public).await.is_ok() {
        tokio::task::yield_now().await;
    }
    service.signals.send(Signal::Terminate).await.unwrap();
    let failure = service.outcome.await.unwrap().unwrap_err();
    assert_eq!(failure.code, 143);
    assert_eq!(failure.line, "ended at once by a second signal, SIGTERM");
}

#[tokio::test]
async fn guarded_routes_want_the_token_and_do_not_exist_without_one() {
    let token = "0123456789abcdef";
    let right = format!("authorization: Bearer {token}\r\n");
    let wrong = "authorization: Bearer 0123456789abcdeF\r\n";
    let with = start(Some(token), Duration::ZERO).await;
    let without = start(None, Duration::ZERO).await;
    let config = "{\"listen\": 1}";
    let table = [
        (&with, "/config", right.as_str(), 200, config),
        (&with, "/inspector", right.as_str(), 200, "inspected"),
        (&with, "/config", wrong, 401, ""),
        (&with, "/inspector", "", 401, ""),
        (&without, "/config", right.as_str(), 404, ""),
        (&without, "/inspector", "", 404, ""),
        (&without, "/nonsense", "", 404, ""),
    ];
    for (service, path, header, status, body) in table {
        assert_eq!(ask(service.admin, path, header).await, (status, body.to_owned()), "{path} {header}");
    }
}
