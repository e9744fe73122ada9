//! A router behind a real socket.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tower::ServiceExt;

/// A router that is being served on a free loopback port, until this is dropped.
pub struct Served {
    /// `http://127.0.0.1:<port>`.
    pub url: String,
    accepting: JoinHandle<()>,
}

impl Served {
    /// Serves `router`.
    pub async fn start(router: Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free loopback port");
        let url = format!("http://{}", listener.local_addr().expect("a bound socket has an address"));
        Self { url, accepting: tokio::spawn(accept(listener, router)) }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, router: Router) {
    while let Ok((stream, peer)) = listener.accept().await {
        let service = hyper::service::service_fn({
            let router = router.clone();
            move |request| router.clone().oneshot(with_peer(request, peer))
        });
        tokio::spawn(async move {
            let _ = Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

fn with_peer(mut request: http::Request<Incoming>, peer: SocketAddr) -> Request {
    request.extensions_mut().insert(ConnectInfo(peer));
    request.map(axum::body::Body::new)
}
