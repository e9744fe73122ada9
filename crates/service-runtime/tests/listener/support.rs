//! A server with a route for every trouble, and clients of it.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Extension};
use axum::routing::get;
use bytes::Bytes;
use http::Request;
use http_body_util::Empty;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use service_runtime::{ConnectionAbort, Server, ServerSettings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_stream::StreamExt;
use tokio_util::sync::CancellationToken;

/// Long enough for any machine; no test waits for it unless something is broken.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
pub(crate) const SOON: Duration = Duration::from_millis(200);
/// Of a body that is one frame, and that no buffer on its way has room for.
pub(crate) const LARGE: usize = 2 << 20;
pub(crate) const SMALL: u32 = 16 * 1024;
pub(crate) const NEVER: Duration = Duration::from_hours(1);

/// A server in which nothing is ever overdue.
pub(crate) fn calm() -> ServerSettings {
    ServerSettings {
        header_timeout: NEVER,
        idle_timeout: NEVER,
        write_timeout: NEVER,
        ..ServerSettings::default()
    }
}

pub(crate) struct Site {
    pub(crate) address: SocketAddr,
    pub(crate) stop: CancellationToken,
    pub(crate) slow: Gate,
    pub(crate) served: JoinHandle<()>,
}

/// `/slow` tells when it was asked, and answers when it may.
#[derive(Clone)]
pub(crate) struct Gate {
    pub(crate) asked: Arc<Semaphore>,
    pub(crate) open: Arc<Semaphore>,
}

impl Gate {
    async fn pass(self) -> &'static str {
        self.asked.add_permits(1);
        self.open.acquire().await.expect("it is never closed").forget();
        "slow"
    }

    pub(crate) async fn was_asked(&self, times: u32) {
        let asked = timeout(PATIENCE, self.asked.acquire_many(times)).await;
        asked.expect("requests arrive").expect("it is never closed").forget();
    }
}

pub(crate) async fn site(settings: ServerSettings) -> Site {
    let socket = TcpSocket::new_v4().expect("sockets are there to be had");
    // So that the system holds little of what a client does not take.
    socket.set_send_buffer_size(SMALL).expect("it is a size");
    socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("port 0 is never taken");
    let listener = socket.listen(64).expect("it is bound");
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
        .route("/large", get(async || vec![b'x'; LARGE]))
}

pub(crate) async fn send(address: SocketAddr, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    stream.write_all(bytes).await.expect("it reads");
    stream
}

/// As [`send`], from a client whose system takes little that it does not read.
pub(crate) async fn send_slowly(address: SocketAddr, bytes: &[u8]) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("sockets are there to be had");
    socket.set_recv_buffer_size(SMALL).expect("it is a size");
    let mut stream = socket.connect(address).await.expect("it listens");
    stream.write_all(bytes).await.expect("it reads");
    stream
}

/// All that comes until the connection ends.
pub(crate) async fn rest(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut bytes = vec![];
    timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.expect("the connection ends")?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// What comes at once.
pub(crate) async fn some(stream: &mut TcpStream) -> String {
    let mut bytes = vec![0; 4096];
    let length = timeout(PATIENCE, stream.read(&mut bytes)).await.expect("it answers").expect("it is open");
    String::from_utf8_lossy(&bytes[..length]).into_owned()
}

pub(crate) async fn http2(address: SocketAddr) -> (http2::SendRequest<Empty<Bytes>>, JoinHandle<()>) {
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

pub(crate) fn get_of(path: &str) -> Request<Empty<Bytes>> {
    let uri = format!("http://site{path}");
    Request::get(uri).body(Empty::new()).expect("a request")
}

/// An event stream with nothing to say is neither idle nor stalled.
pub(crate) async fn assert_stays_open(stream: &mut TcpStream) {
    let mut more = [0; 64];
    while let Ok(read) = timeout(SOON, stream.read(&mut more)).await {
        assert!(matches!(read, Ok(1..)), "it was closed: {read:?}");
    }
}

/// Whether the other side has closed the connection; what it sent stays unread.
pub(crate) async fn site_is_done_with(stream: &mut TcpStream) -> bool {
    tokio::time::sleep(SOON / 10).await;
    stream.write_all(b"\r\n").await.is_err()
}
