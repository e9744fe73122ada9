//! Accepts connections and serves HTTP/1.1 and cleartext HTTP/2 (by prior knowledge) on them.
//!
//! Everything has a limit: how many connections there are, how long and how large a request's head is, how
//! long a connection is idle, how long a client takes no byte of its answer, how many streams and resets an
//! HTTP/2 connection has. How long a request and its body may take is the routes' own affair.

mod activity;
mod body;
mod connection;
mod socket;
mod upload;

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use hyper_util::server::conn::auto;
use opentelemetry::metrics::Meter;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::warn;

use crate::settings::ServerSettings;
use connection::Connections;
pub use socket::ConnectionAbort;

/// How long nothing is accepted after the system refused a connection, for want of descriptors for instance.
const AFTER_REFUSAL: Duration = Duration::from_millis(100);
/// Streams that a client opened and reset before we saw them: more end the connection (CVE-2023-44487). Behind the
/// gateway one connection carries many clients, so this bounds memory; the gateway ends the client who does it.
const PENDING_RESETS: usize = 500;
/// Streams that we had to reset because of what the client sent: more end the connection (CVE-2025-8671).
const LOCAL_RESETS: usize = 100;
/// The most headers of a request on HTTP/1; on HTTP/2 the size of the head limits their number, too.
///
/// The answer beyond it is a bare `431`, so whoever wants to say more refuses at a lower number.
const MAX_HEADERS: usize = 128;
/// What a client may send unread on one stream, and on one connection.
const STREAM_WINDOW: u32 = 64 * 1024;
const CONNECTION_WINDOW: u32 = 1024 * 1024;

/// Serves `router` on `listener` until `shutdown` completes, and then for as long as requests run, at most
/// `settings.drain_timeout`.
///
/// Requests carry the peer's address as [`axum::extract::ConnectInfo`]`<SocketAddr>`.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    settings: &ServerSettings,
    shutdown: impl Future<Output = ()> + Send,
) {
    Server::new(settings).serve(listener, router, shutdown).await;
}

/// [`serve`] with choices.
pub struct Server {
    settings: ServerSettings,
    leaving: CancellationToken,
    abortable: bool,
    /// One for every connection.
    tasks: TaskTracker,
}

impl Server {
    /// A server that does the same as [`serve`].
    pub fn new(settings: &ServerSettings) -> Self {
        Self {
            settings: settings.clone(),
            leaving: CancellationToken::new(),
            abortable: false,
            tasks: TaskTracker::new(),
        }
    }

    /// Once `leaving` is cancelled, HTTP/1.1 answers say `Connection: close`, so that clients are elsewhere
    /// before connections are closed under them.
    #[must_use]
    pub fn leaving(mut self, leaving: CancellationToken) -> Self {
        self.leaving = leaving;
        self
    }

    /// Requests carry a [`ConnectionAbort`] as an extension.
    #[must_use]
    pub fn abortable(mut self) -> Self {
        self.abortable = true;
        self
    }

    /// Shows how many connections there are, and how many there may be.
    pub fn observe(&self, meter: &Meter) {
        let gauge = |name: &'static str, description: &'static str| {
            meter.u64_observable_gauge(name).with_unit("{connection}").with_description(description)
        };
        let (tasks, most) = (self.tasks.clone(), self.settings.max_connections as u64);
        gauge("triptych.server.connections", "How many connections are open")
            .with_callback(move |observer| observer.observe(tasks.len() as u64, &[]))
            .build();
        gauge("triptych.server.connections.limit", "How many may be open")
            .with_callback(move |observer| observer.observe(most, &[]))
            .build();
    }

    /// See [`serve`].
    pub async fn serve(
        self,
        listener: TcpListener,
        router: Router,
        shutdown: impl Future<Output = ()> + Send,
    ) {
        let drain_timeout = self.settings.drain_timeout;
        let connections = Connections {
            builder: builder(&self.settings),
            router,
            limits: (&self.settings).into(),
            leaving: self.leaving,
            abortable: self.abortable,
            stop: CancellationToken::new(),
            kill: CancellationToken::new(),
        };
        let connections = Arc::new(connections);
        let tasks = self.tasks;
        tokio::select! {
            () = shutdown => {}
            () = accept(&listener, self.settings.max_connections, &connections, &tasks) => {}
        }
        drop(listener);
        connections.stop.cancel();
        tasks.close();
        if timeout(drain_timeout, tasks.wait()).await.is_err() {
            warn!(connections = tasks.len(), "drain timeout: connections are cut");
            connections.kill.cancel();
            tasks.wait().await;
        }
    }
}

/// Accepts for ever.
async fn accept(listener: &TcpListener, most: usize, connections: &Arc<Connections>, tasks: &TaskTracker) {
    let permits = Arc::new(Semaphore::new(most));
    let mut full = false;
    loop {
        let was_full = std::mem::replace(&mut full, permits.available_permits() == 0);
        if full && !was_full {
            warn!(limit = most, "connection limit reached: new connections wait");
        }
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((stream, peer)) => {
                let connections = Arc::clone(connections);
                tasks.spawn(async move {
                    connections.serve(stream, peer).await;
                    drop(permit);
                });
            }
            Err(error) if is_the_clients(&error) => {}
            Err(error) => {
                warn!(%error, "cannot accept a connection");
                sleep(AFTER_REFUSAL).await;
            }
        }
    }
}

/// Whether only the connection that was about to be accepted is lost.
fn is_the_clients(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

fn builder(settings: &ServerSettings) -> auto::Builder<TokioExecutor> {
    let max_head = usize::try_from(settings.max_head.as_u64()).unwrap_or(usize::MAX);
    let mut builder = auto::Builder::new(TokioExecutor::new());
    // hyper's own header timer counts idle time too, so that no connection could be idle for longer than a
    // head may take: `activity` tells the two apart.
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(None)
        .max_headers(MAX_HEADERS)
        .max_buf_size(max_head);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(settings.max_streams)
        .max_header_list_size(u32::try_from(max_head).unwrap_or(u32::MAX))
        .max_pending_accept_reset_streams(PENDING_RESETS)
        .max_local_error_reset_streams(LOCAL_RESETS)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .keep_alive_interval(settings.ping_interval)
        .keep_alive_timeout(settings.ping_timeout);
    builder
}
