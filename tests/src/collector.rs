//! An OpenTelemetry collector that keeps the spans it is sent over OTLP/gRPC
//! (<https://opentelemetry.io/docs/specs/otlp/>).

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

const PATIENCE: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(10);
const TRACES: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
/// Before a message: whether it is compressed, and its length.
const PREFIX: usize = 5;

/// A collector on a free port. Dropping it ends it.
#[derive(Debug)]
pub struct Collector {
    /// Where it listens.
    pub address: SocketAddr,
    spans: Spans,
    serving: JoinHandle<()>,
}

type Spans = Arc<Mutex<Vec<Exported>>>;

/// A span, and who exported it.
#[derive(Clone, Debug)]
pub struct Exported {
    /// `service.name` of its resource.
    pub service: String,
    /// The span itself.
    pub span: Span,
}

impl Collector {
    /// Starts one.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("port 0 is never taken");
        let address = listener.local_addr().expect("it is bound");
        let spans = Spans::default();
        let serving = tokio::spawn(serve(listener, Arc::clone(&spans)));
        Self { address, spans, serving }
    }

    /// What tells a program to export its spans to this one, soon and all that `sampler` lets through.
    pub fn env(&self, sampler: &'static str) -> [(&'static str, String); 4] {
        [
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", format!("http://{}", self.address)),
            ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "grpc".to_owned()),
            ("OTEL_TRACES_SAMPLER", sampler.to_owned()),
            ("OTEL_BSP_SCHEDULE_DELAY", "50".to_owned()),
        ]
    }

    /// The spans of all programs so far, once they are `enough`.
    pub async fn spans(&self, enough: impl Fn(&[Exported]) -> bool) -> Vec<Exported> {
        let found = timeout(PATIENCE, async {
            loop {
                let spans = self.now();
                if enough(&spans) {
                    return spans;
                }
                sleep(POLL).await;
            }
        });
        found.await.unwrap_or_else(|_| {
            let names: Vec<_> =
                self.now().into_iter().map(|it| format!("{} {}", it.service, it.span.name)).collect();
            panic!("not enough spans came: {names:#?}")
        })
    }

    /// What has come so far.
    pub fn now(&self) -> Vec<Exported> {
        self.spans.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Exported {
    /// An attribute as text; empty when it is absent.
    pub fn attribute(&self, key: &str) -> String {
        attribute(&self.span.attributes, key)
    }

    /// Whether it is a part of `other`.
    pub fn is_child_of(&self, other: &Self) -> bool {
        self.span.trace_id == other.span.trace_id && self.span.parent_span_id == other.span.span_id
    }

    /// Whether it began and ended within `other`.
    pub fn is_within(&self, other: &Self) -> bool {
        self.span.start_time_unix_nano >= other.span.start_time_unix_nano
            && self.span.end_time_unix_nano <= other.span.end_time_unix_nano
    }
}

fn attribute(attributes: &[KeyValue], key: &str) -> String {
    let found = attributes.iter().find(|attribute| attribute.key == key);
    match found.and_then(|attribute| attribute.value.as_ref()) {
        Some(AnyValue { value: Some(value) }) => match value {
            Value::StringValue(text) => text.clone(),
            Value::IntValue(number) => number.to_string(),
            Value::BoolValue(truth) => truth.to_string(),
            Value::DoubleValue(number) => number.to_string(),
            other => format!("{other:?}"),
        },
        _ => String::new(),
    }
}

async fn serve(listener: TcpListener, spans: Spans) {
    while let Ok((stream, _)) = listener.accept().await {
        let spans = Arc::clone(&spans);
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(request, Arc::clone(&spans)));
            // A program that ends leaves its connection as it is.
            let _ = auto::Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

/// Keeps the spans of an export, and says that it did: an empty message, and a status in the trailers.
async fn answer(
    request: Request<Incoming>,
    spans: Spans,
) -> Result<Response<StreamBody<impl futures::Stream<Item = Result<Frame<Bytes>, Infallible>>>>, Infallible> {
    let is_traces = request.uri().path() == TRACES;
    if is_traces && let Ok(body) = request.into_body().collect().await {
        let exported = decode(&body.to_bytes());
        spans.lock().unwrap_or_else(PoisonError::into_inner).extend(exported);
    }
    let mut empty = BytesMut::with_capacity(PREFIX);
    empty.put_bytes(0, PREFIX);
    let status = HeaderValue::from_static(if is_traces { "0" } else { "12" });
    let trailers = HeaderMap::from_iter([(http::HeaderName::from_static("grpc-status"), status)]);
    let frames = [Ok(Frame::data(empty.freeze())), Ok(Frame::trailers(trailers))];
    let mut response = Response::new(StreamBody::new(futures::stream::iter(frames)));
    response.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
    Ok(response)
}

fn decode(message: &Bytes) -> Vec<Exported> {
    let message = message.get(PREFIX..).expect("a message has a prefix");
    let request = ExportTraceServiceRequest::decode(message).expect("it is an export of traces");
    let resources = request.resource_spans.into_iter();
    resources
        .flat_map(|of| {
            let service = of.resource.map(|it| attribute(&it.attributes, "service.name")).unwrap_or_default();
            let spans = of.scope_spans.into_iter().flat_map(|scope| scope.spans);
            spans.map(move |span| Exported { service: service.clone(), span }).collect::<Vec<_>>()
        })
        .collect()
}
