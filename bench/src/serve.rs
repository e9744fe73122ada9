//! The least of a server: HTTP/1.1 with keep-alive, no limits.

use std::convert::Infallible;
use std::future::Future;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use crate::Failure;

/// Answers every request with what `answer` makes of it, until the process ends.
pub(crate) async fn serve<F, R>(listener: TcpListener, answer: F) -> Result<(), Failure>
where
    F: Fn(Request<Incoming>) -> R + Clone + Send + 'static,
    R: Future<Output = Response<Full<Bytes>>> + Send,
{
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let answer = answer.clone();
        let service = service_fn(move |request| {
            let answer = answer(request);
            async move { Ok::<_, Infallible>(answer.await) }
        });
        // A client that leaves in the middle is no concern of ours.
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

/// `200` with this body.
pub(crate) fn json(body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// An answer that a measurement must not meet, with the reason for whoever looks.
pub(crate) fn failed(status: StatusCode, reason: &impl ToString) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(reason.to_string().into()));
    *response.status_mut() = status;
    response
}
