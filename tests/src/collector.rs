//! An OpenTelemetry collector that keeps what it is sent over OTLP (<https://opentelemetry.io/docs/specs/otlp/>).

mod door;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

const PATIENCE: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(10);

/// A collector on a free port. Dropping it ends it.
#[derive(Debug)]
pub struct Collector {
    /// Where it listens.
    pub address: SocketAddr,
    collected: Shared,
    serving: JoinHandle<()>,
}

type Shared = Arc<Mutex<Collected>>;

/// What has come so far.
#[derive(Clone, Debug, Default)]
pub struct Collected {
    /// The spans of all programs.
    pub spans: Vec<Exported>,
    /// Who exported which metrics: `web-bff http.server.request.duration`.
    pub metrics: BTreeSet<String>,
    /// Who exported which log records: `web-bff serving`.
    pub records: BTreeSet<String>,
    /// How the exports were written: `gzip`, `identity`.
    pub encodings: BTreeSet<&'static str>,
}

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
        let collected = Shared::default();
        let serving = tokio::spawn(door::serve(listener, Arc::clone(&collected)));
        Self { address, collected, serving }
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
        self.collected(|so_far| enough(&so_far.spans)).await.spans
    }

    /// All there is so far, once it is `enough`.
    pub async fn collected(&self, enough: impl Fn(&Collected) -> bool) -> Collected {
        let found = timeout(PATIENCE, async {
            loop {
                let so_far = self.so_far();
                if enough(&so_far) {
                    return so_far;
                }
                sleep(POLL).await;
            }
        });
        found.await.unwrap_or_else(|_| panic!("not enough came: {:#?}", self.so_far().names()))
    }

    /// The spans of all programs so far.
    pub fn now(&self) -> Vec<Exported> {
        self.so_far().spans
    }

    fn so_far(&self) -> Collected {
        self.collected.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Collected {
    fn names(&self) -> Vec<String> {
        let spans = self.spans.iter().map(|it| format!("{} {}", it.service, it.span.name));
        spans.chain(self.metrics.iter().chain(&self.records).cloned()).collect()
    }

    fn add_spans(&mut self, request: ExportTraceServiceRequest) {
        for of in request.resource_spans {
            let service = service(of.resource);
            let spans = of.scope_spans.into_iter().flat_map(|scope| scope.spans);
            self.spans.extend(spans.map(|span| Exported { service: service.clone(), span }));
        }
    }

    fn add_metrics(&mut self, request: ExportMetricsServiceRequest) {
        for of in request.resource_metrics {
            let service = service(of.resource);
            let metrics = of.scope_metrics.into_iter().flat_map(|scope| scope.metrics);
            self.metrics.extend(metrics.map(|metric| format!("{service} {}", metric.name)));
        }
    }

    fn add_records(&mut self, request: ExportLogsServiceRequest) {
        for of in request.resource_logs {
            let service = service(of.resource);
            let records = of.scope_logs.into_iter().flat_map(|scope| scope.log_records);
            self.records.extend(records.map(|record| format!("{service} {}", text(record.body.as_ref()))));
        }
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

fn service(resource: Option<Resource>) -> String {
    resource.map(|it| attribute(&it.attributes, "service.name")).unwrap_or_default()
}

fn attribute(attributes: &[KeyValue], key: &str) -> String {
    let found = attributes.iter().find(|attribute| attribute.key == key);
    text(found.and_then(|attribute| attribute.value.as_ref()))
}

fn text(value: Option<&AnyValue>) -> String {
    match value {
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
