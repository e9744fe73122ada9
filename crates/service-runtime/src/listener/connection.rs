use std::convert::Infallible;
use std::error::Error;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use http::header::CONNECTION;
use http::{HeaderValue, Request, Response, Version};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpStream;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use tracing::debug;

use super::activity::{Activity, Limits};
use super::body::WatchedBody;
use super::socket::{ConnectionAbort, Socket};
use super::upload::{Lingering, Uploads};

/// What all connections of a listener share.
pub(super) struct Connections {
    pub(super) builder: auto::Builder<TokioExecutor>,
    pub(super) router: Router,
    pub(super) limits: Limits,
    /// Clients should go elsewhere.
    pub(super) leaving: CancellationToken,
    pub(super) abortable: bool,
    /// Connections end when their requests are answered.
    pub(super) stop: CancellationToken,
    /// Connections end.
    pub(super) kill: CancellationToken,
}

impl Connections {
    /// Serves one connection until it ends.
    pub(super) async fn serve(self: Arc<Self>, stream: TcpStream, peer: SocketAddr) {
        // Without it answers just take longer.
        let _ = stream.set_nodelay(true);
        let activity = Arc::new(Activity::new(self.limits));
        let aborted = CancellationToken::new();
        let uploads = Uploads::default();
        let socket = Socket {
            stream,
            activity: Arc::clone(&activity),
            aborted: aborted.clone(),
            uploads: uploads.clone(),
            lingering: Lingering::default(),
        };
        let line = Line {
            peer,
            activity: Arc::clone(&activity),
            abort: self.abortable.then(|| ConnectionAbort(aborted.clone())),
            uploads,
            connections: Arc::clone(&self),
        };
        let service = service_fn(move |request| line.answer(request));
        let mut connection = pin!(self.builder.serve_connection(TokioIo::new(socket), service));

        let ending = tokio::select! {
            biased;
            () = aborted.cancelled() => return,
            ended = connection.as_mut() => return note(ended),
            () = self.stop.cancelled() => None,
            overdue = activity.overdue() => Some(overdue),
        };
        debug!(client.address = %peer, reason = ?ending, "closing a connection");
        connection.as_mut().graceful_shutdown();
        let patience = async {
            match ending {
                Some(overdue) => sleep(activity.patience(overdue)).await,
                None => drop(activity.overdue().await),
            }
        };
        tokio::select! {
            biased;
            () = aborted.cancelled() => {}
            ended = connection => note(ended),
            () = self.kill.cancelled() => {}
            () = patience => {}
        }
    }
}

/// What all requests of a connection share.
struct Line {
    peer: SocketAddr,
    activity: Arc<Activity>,
    abort: Option<ConnectionAbort>,
    uploads: Uploads,
    connections: Arc<Connections>,
}

impl Line {
    fn answer(
        &self,
        request: Request<Incoming>,
    ) -> impl Future<Output = Result<Response<WatchedBody>, Infallible>> + Send + use<> {
        let version = request.version();
        let share = self.activity.begin(version == Version::HTTP_2);
        let mut request = request.map(|body| self.uploads.watch(Body::new(body)));
        request.extensions_mut().insert(ConnectInfo(self.peer));
        if let Some(abort) = &self.abort {
            request.extensions_mut().insert(abort.clone());
        }
        let router = self.connections.router.clone();
        let leaving = self.connections.leaving.clone();
        async move {
            let Ok(mut response) = router.oneshot(request).await;
            if version < Version::HTTP_2 && leaving.is_cancelled() {
                let close = HeaderValue::from_static("close");
                response.headers_mut().insert(CONNECTION, close);
            }
            Ok(response.map(|body| WatchedBody::new(body, share)))
        }
    }
}

fn note(ended: Result<(), Box<dyn Error + Send + Sync>>) {
    if let Err(error) = ended {
        debug!(%error, "a connection failed");
    }
}
