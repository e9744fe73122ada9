//! How an export comes in: over gRPC, or as protobuf over HTTP; compressed, or not.

use std::convert::Infallible;
use std::sync::{Arc, PoisonError};

use async_compression::tokio::bufread::GzipDecoder;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use prost::Message;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

use super::{Collected, Shared};

/// Before a message of gRPC: whether it is compressed, and its length.
const PREFIX: usize = 5;

type Frames = futures::stream::Iter<std::vec::IntoIter<Result<Frame<Bytes>, Infallible>>>;

#[derive(Clone, Copy)]
enum Signal {
    Traces,
    Metrics,
    Logs,
}

pub(super) async fn serve(listener: TcpListener, collected: Shared) {
    while let Ok((stream, _)) = listener.accept().await {
        let collected = Arc::clone(&collected);
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(request, Arc::clone(&collected)));
            // A program that ends leaves its connection as it is.
            let _ = auto::Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

/// Keeps what is exported, and says that it did.
async fn answer(
    request: Request<Incoming>,
    collected: Shared,
) -> Result<Response<StreamBody<Frames>>, Infallible> {
    let (head, body) = request.into_parts();
    let Some((signal, is_grpc)) = signal(head.uri.path()) else {
        let mut response = Response::new(StreamBody::new(futures::stream::iter(vec![])));
        *response.status_mut() = StatusCode::NOT_FOUND;
        return Ok(response);
    };
    if let Ok(body) = body.collect().await {
        let body = body.to_bytes();
        let (message, is_compressed) = if is_grpc {
            (body.slice(PREFIX..), body[0] == 1)
        } else {
            (body, head.headers.contains_key("content-encoding"))
        };
        let message = if is_compressed { decompressed(&message).await } else { message };
        let mut collected = collected.lock().unwrap_or_else(PoisonError::into_inner);
        collected.encodings.insert(if is_compressed { "gzip" } else { "identity" });
        collected.take(signal, message);
    }
    Ok(taken(is_grpc))
}

/// What is exported to this path, and whether over gRPC.
fn signal(path: &str) -> Option<(Signal, bool)> {
    match path {
        "/opentelemetry.proto.collector.trace.v1.TraceService/Export" => Some((Signal::Traces, true)),
        "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export" => Some((Signal::Metrics, true)),
        "/opentelemetry.proto.collector.logs.v1.LogsService/Export" => Some((Signal::Logs, true)),
        "/v1/traces" => Some((Signal::Traces, false)),
        "/v1/metrics" => Some((Signal::Metrics, false)),
        "/v1/logs" => Some((Signal::Logs, false)),
        _ => None,
    }
}

async fn decompressed(message: &[u8]) -> Bytes {
    let mut plain = vec![];
    let read = GzipDecoder::new(message).read_to_end(&mut plain).await;
    read.expect("what is compressed is gzip");
    plain.into()
}

/// An empty message; over gRPC with its prefix, and a status in the trailers.
fn taken(is_grpc: bool) -> Response<StreamBody<Frames>> {
    let trailers =
        HeaderMap::from_iter([(HeaderName::from_static("grpc-status"), HeaderValue::from_static("0"))]);
    let frames = vec![Ok(Frame::data(Bytes::from_static(&[0; PREFIX]))), Ok(Frame::trailers(trailers))];
    let (frames, media_type) =
        if is_grpc { (frames, "application/grpc") } else { (vec![], "application/x-protobuf") };
    let mut response = Response::new(StreamBody::new(futures::stream::iter(frames)));
    response.headers_mut().insert("content-type", HeaderValue::from_static(media_type));
    response
}

impl Collected {
    fn take(&mut self, signal: Signal, message: Bytes) {
        match signal {
            Signal::Traces => self.add_spans(decoded(message)),
            Signal::Metrics => self.add_metrics(decoded(message)),
            Signal::Logs => self.add_records(decoded(message)),
        }
    }
}

fn decoded<M: Message + Default>(message: Bytes) -> M {
    M::decode(message).expect("it is an export of this signal")
}
