//! The listener's limits, over real sockets.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, Extension};
use axum::routing::get;
use axum::{Router, http};
use bytes::Bytes;
use http::{Request, Version};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use service_runtime::{ConnectionAbort, Server, ServerSettings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_stream::StreamExt;
use tokio_util::sync::CancellationToken;

/// Long enough for any machine; no test waits for it unless something is broken.
const PATIENCE: Duration = Duration::from_secs(30);
const SOON: Duration = Duration::from_millis(200);
const NEVER: Duration = Duration::from_hours(1);

/// A server in which nothing is ever overdue.
fn calm() -> ServerSettings {
    ServerSettings {
        header_timeout: NEVER,
        idle_timeout: NEVER,
        write_timeout: NEVER,
        ..ServerSettings::default()
    }
}

struct Site {
    address: SocketAddr,
    stop: CancellationToken,
    slow: Gate,
    served: JoinHandle<()>,
}

/// `/slow` tells when it was asked, and answers when it may.
#[derive(Clone)]
struct Gate {
    asked: Arc<Semaphore>,
    open: Arc<Semaphore>,
}

impl Gate {
    async fn pass(self) -> &'static str {
        self.asked.add_permits(1);
        self.open.acquire().await.expect("it is never closed").forget();
        "slow"
    }

    async fn was_asked(&self, times: u32) {
        let asked = timeout(PATIENCE, self.asked.acquire_many(times)).await;
        asked.expect("requests arrive").expect("it is never closed").forget();
    }
}

async fn site(settings: ServerSettings) -> Site {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("port 0 is never taken");
    let address = listener.local_addr().expect("it is bound");
    let stop = CancellationToken::new();
    let slow = Gate { asked: Arc::new(Semaphore::new(0)), open: Arc::new(Semaphore::new(0)) };
    let server = Server::new(&settings).abortable();
    let serving = server.serve(listener, router(slow.clone()), stop.clone().cancelled_owned());
    Site { address, stop, slow, served: tokio::spawn(serving) }
}

fn router(slow: Gate) -> Router {
    let abort = async |Extension(connection): Extension<ConnectionAbort>| {
        connection.abort();
        std::future::pending::<()>().await;
    };
    let endless = async || {
        let chunk = Bytes::from(vec![b'x'; 64 * 1024]);
        let chunks = std::iter::repeat_with(move || Ok::<_, Infallible>(chunk.clone()));
        Body::from_stream(tokio_stream::iter(chunks))
    };
    let quiet = async || {
        let first = tokio_stream::once(Ok::<_, Infallible>(Bytes::from_static(b"first")));
        Body::from_stream(first.chain(tokio_stream::pending()))
    };
    Router::new()
        .route("/", get(async |ConnectInfo(peer): ConnectInfo<SocketAddr>| peer.to_string()))
        .route("/slow", get(async move || slow.clone().pass().await))
        .route("/abort", get(abort))
        .route("/endless", get(endless))
        .route("/quiet", get(quiet))
}

async fn send(address: SocketAddr, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    stream.write_all(bytes).await.expect("it reads");
    stream
}

/// All that comes until the connection ends.
async fn rest(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut bytes = vec![];
    timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.expect("the connection ends")?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// What comes at once.
async fn some(stream: &mut TcpStream) -> String {
    let mut bytes = vec![0; 4096];
    let length = timeout(PATIENCE, stream.read(&mut bytes)).await.expect("it answers").expect("it is open");
    String::from_utf8_lossy(&bytes[..length]).into_owned()
}

async fn http2(address: SocketAddr) -> (http2::SendRequest<Empty<Bytes>>, JoinHandle<()>) {
    let stream = TcpStream::connect(address).await.expect("it listens");
    let handshake = http2::Builder::new(TokioExecutor::new())
        .initial_stream_window_size(1024)
        .handshake(TokioIo::new(stream));
    let (sender, connection) = handshake.await.expect("it speaks HTTP/2");
    let ended = tokio::spawn(async move {
        // Whether it ends with an error is not what these tests are about.
        let _ = connection.await;
    });
    (sender, ended)
}

fn get_of(path: &str) -> Request<Empty<Bytes>> {
    let uri = format!("http://site{path}");
    Request::get(uri).body(Empty::new()).expect("a request")
}

#[tokio::test]
async fn a_head_that_does_not_come_whole_ends_the_connection() {
    let starts: [&[u8]; 5] = [
        b"",
        b"G",
        b"GET / HTTP/1.1\r\nhost: s",
        b"PRI * HTTP/2.0\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
    ];
    let site = site(ServerSettings { header_timeout: SOON, ..calm() }).await;
    for start in starts {
        let mut stream = send(site.address, start).await;
        let answer = rest(&mut stream).await.unwrap_or_default();
        assert!(!answer.contains("200 OK"), "{answer}");
    }
}

#[tokio::test]
async fn the_second_head_has_the_same_time() {
    let site = site(ServerSettings { header_timeout: SOON, ..calm() }).await;
    let mut stream = send(site.address, b"GET / HTTP/1.1\r\nhost: s\r\n\r\n").await;
    assert!(some(&mut stream).await.contains("200 OK"));
    stream.write_all(b"GET / HTTP/1.1\r\nhos").await.unwrap();
    assert_eq!(rest(&mut stream).await.unwrap_or_default(), "");
}

#[tokio::test]
async fn an_idle_connection_is_closed_and_a_busy_one_is_not() {
    let site = site(ServerSettings { idle_timeout: SOON, ..calm() }).await;
    let mut busy = send(site.address, b"GET /slow HTTP/1.1\r\nhost: s\r\n\r\n").await;
    let mut quiet = send(site.address, b"GET /quiet HTTP/1.1\r\nhost: s\r\n\r\n").await;
    assert!(some(&mut quiet).await.contains("200 OK"));
    let mut idle = send(site.address, b"GET / HTTP/1.1\r\nhost: s\r\n\r\n").await;
    assert!(rest(&mut idle).await.unwrap().contains("200 OK"));

    let (mut sender, ended) = http2(site.address).await;
    let response = sender.send_request(get_of("/")).await.unwrap();
    response.into_body().collect().await.unwrap();
    timeout(PATIENCE, ended).await.expect("an idle HTTP/2 connection is closed").unwrap();

    site.slow.open.add_permits(1);
    assert!(rest(&mut busy).await.unwrap().ends_with("slow"));
    assert_stays_open(&mut quiet).await;
}

/// An event stream with nothing to say is neither idle nor stalled.
async fn assert_stays_open(stream: &mut TcpStream) {
    let mut more = [0; 64];
    while let Ok(read) = timeout(SOON, stream.read(&mut more)).await {
        assert!(matches!(read, Ok(1..)), "it was closed: {read:?}");
    }
}

#[tokio::test]
async fn a_client_that_takes_no_byte_is_cut_off() {
    let site = site(ServerSettings { write_timeout: SOON, ..calm() }).await;
    let mut quiet = send(site.address, b"GET /quiet HTTP/1.1\r\nhost: s\r\n\r\n").await;
    let mut stream = send(site.address, b"GET /endless HTTP/1.1\r\nhost: s\r\n\r\n").await;
    while !site_is_done_with(&mut stream).await {}

    let (mut sender, ended) = http2(site.address).await;
    let response = sender.send_request(get_of("/endless")).await.unwrap();
    timeout(PATIENCE, ended).await.expect("a stalled HTTP/2 connection is cut").unwrap();
    drop(response);
    assert_stays_open(&mut quiet).await;
}

/// Whether the other side has closed the connection; what it sent stays unread.
async fn site_is_done_with(stream: &mut TcpStream) -> bool {
    tokio::time::sleep(SOON / 10).await;
    stream.write_all(b"\r\n").await.is_err()
}

#[tokio::test]
async fn at_the_limit_new_connections_wait() {
    let site = site(ServerSettings { max_connections: 1, ..calm() }).await;
    let mut first = send(site.address, b"GET / HTTP/1.1\r\nhost: s\r\n\r\n").await;
    assert!(some(&mut first).await.contains("200 OK"));
    let mut second = send(site.address, b"GET / HTTP/1.1\r\nhost: s\r\nconnection: close\r\n\r\n").await;
    assert!(timeout(SOON, second.read(&mut [0])).await.is_err(), "the second waits");
    drop(first);
    assert!(rest(&mut second).await.unwrap().contains("200 OK"));
}

#[tokio::test]
async fn heads_are_bounded() {
    let site = site(calm()).await;
    let long = format!("GET / HTTP/1.1\r\nhost: s\r\nx: {}\r\n\r\n", "x".repeat(33 * 1024));
    let many = format!("GET / HTTP/1.1\r\nhost: s\r\n{}\r\n", "x: y\r\n".repeat(101));
    for head in [long, many] {
        let mut stream = send(site.address, head.as_bytes()).await;
        let answer = some(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    }
    let (mut sender, _) = http2(site.address).await;
    let mut request = get_of("/");
    for n in 0..101 {
        let name = http::HeaderName::try_from(format!("x-{n}")).unwrap();
        request.headers_mut().insert(name, http::HeaderValue::from_static("y"));
    }
    assert_eq!(sender.send_request(request).await.unwrap().status(), 431);
}

#[tokio::test]
async fn http2_works_by_prior_knowledge_and_knows_the_peer() {
    let site = site(calm()).await;
    let (mut sender, _) = http2(site.address).await;
    let response = sender.send_request(get_of("/")).await.unwrap();
    assert_eq!(response.version(), Version::HTTP_2);
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert!(body.starts_with(b"127.0.0.1:"), "{body:?}");
}

#[tokio::test]
async fn a_flood_of_resets_ends_the_connection() {
    let site = site(calm()).await;
    let mut flood = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec();
    for stream in (1..=2001_u32).step_by(2) {
        // HEADERS: GET http://s/, the end of the stream. Then RST_STREAM: CANCEL.
        flood.extend_from_slice(b"\0\0\x06\x01\x05");
        flood.extend_from_slice(&stream.to_be_bytes());
        flood.extend_from_slice(b"\x82\x86\x84\x41\x01s");
        flood.extend_from_slice(b"\0\0\x04\x03\0");
        flood.extend_from_slice(&stream.to_be_bytes());
        flood.extend_from_slice(b"\0\0\0\x08");
    }
    let mut stream = TcpStream::connect(site.address).await.unwrap();
    // It may be closed before all of it is written.
    let _ = stream.write_all(&flood).await;
    let answer = rest(&mut stream).await.unwrap_or_default();
    assert!(answer.contains("too_many_resets") || answer.is_empty(), "{answer:?}");
}

#[tokio::test]
async fn a_drain_finishes_what_runs_on_both_protocols() {
    let site = site(calm()).await;
    let mut running = send(site.address, b"GET /slow HTTP/1.1\r\nhost: s\r\n\r\n").await;
    let mut idle = send(site.address, b"GET / HTTP/1.1\r\nhost: s\r\n\r\n").await;
    some(&mut idle).await;
    let (mut sender, ended) = http2(site.address).await;
    let response = sender.send_request(get_of("/")).await.unwrap();
    response.into_body().collect().await.unwrap();
    let slow = tokio::spawn(sender.send_request(get_of("/slow")));

    site.slow.was_asked(2).await;
    site.stop.cancel();
    assert_eq!(rest(&mut idle).await.unwrap(), "");
    assert!(TcpStream::connect(site.address).await.is_err());
    assert!(!site.served.is_finished());
    site.slow.open.add_permits(2);
    let answer = rest(&mut running).await.unwrap();
    assert!(answer.contains("connection: close") && answer.ends_with("slow"), "{answer}");
    assert_eq!(slow.await.unwrap().unwrap().status(), 200);
    timeout(PATIENCE, ended).await.expect("the connection ends").unwrap();
    timeout(PATIENCE, site.served).await.expect("the server ends").unwrap();
}

#[tokio::test]
async fn what_outlasts_the_drain_is_cut() {
    let site = site(ServerSettings { drain_timeout: SOON, ..calm() }).await;
    let mut running = send(site.address, b"GET /slow HTTP/1.1\r\nhost: s\r\n\r\n").await;
    site.slow.was_asked(1).await;
    site.stop.cancel();
    assert_eq!(rest(&mut running).await.unwrap_or_default(), "");
    timeout(PATIENCE, site.served).await.expect("the server ends").unwrap();
}

#[tokio::test]
async fn an_aborted_connection_is_reset() {
    let site = site(calm()).await;
    let mut stream = send(site.address, b"GET /abort HTTP/1.1\r\nhost: s\r\n\r\n").await;
    let error = rest(&mut stream).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}
