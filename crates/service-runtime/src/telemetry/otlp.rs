//! The exporters of the three signals, over HTTP or gRPC.

use futures::executor::block_on;
use opentelemetry::InstrumentationScope;
use opentelemetry_otlp::tonic_types::transport::ClientTlsConfig;
use opentelemetry_otlp::{
    ExporterBuildError, LogExporter, MetricExporter, SpanExporter, WithExportConfig, WithHttpConfig,
    WithTonicConfig,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{LogBatch, LogExporter as _, SdkLogRecord};
use opentelemetry_sdk::trace::SpanExporter as _;

use super::queue::Sink;
use super::spans::Exported;
use super::variables::{Exporter, Protocol};

macro_rules! exporter {
    ($builder:expr, $to:expr) => {{
        let to: &Exporter = $to;
        match to.protocol {
            Protocol::Http => {
                let builder = $builder.with_http().with_endpoint(&to.endpoint).with_timeout(to.timeout);
                match to.compression {
                    Some(compression) => builder.with_compression(compression).build(),
                    None => builder.build(),
                }
            }
            Protocol::Grpc => {
                let builder = $builder.with_tonic().with_endpoint(&to.endpoint).with_timeout(to.timeout);
                let builder = if to.endpoint.starts_with("https:") {
                    // By itself it would trust nobody.
                    builder.with_tls_config(ClientTlsConfig::new().with_enabled_roots())
                } else {
                    builder
                };
                match to.compression {
                    Some(compression) => builder.with_compression(compression).build(),
                    None => builder.build(),
                }
            }
        }
    }};
}

/// Sends spans.
pub(super) struct Spans {
    exporter: SpanExporter,
    scope: InstrumentationScope,
}

impl Spans {
    pub(super) fn new(to: &Exporter, resource: &Resource) -> Result<Self, ExporterBuildError> {
        let mut exporter = exporter!(SpanExporter::builder(), to)?;
        exporter.set_resource(resource);
        Ok(Self { exporter, scope: super::scope() })
    }
}

impl Sink<Exported> for Spans {
    fn send(&mut self, batch: Vec<Exported>) -> OTelSdkResult {
        let mut spans = Vec::with_capacity(batch.iter().map(Exported::len).sum());
        for request in batch {
            request.into_spans(&self.scope, &mut spans);
        }
        block_on(self.exporter.export(spans))
    }
}

/// Sends log records.
pub(super) struct Records(LogExporter);

impl Records {
    pub(super) fn new(to: &Exporter, resource: &Resource) -> Result<Self, ExporterBuildError> {
        let mut exporter = exporter!(LogExporter::builder(), to)?;
        exporter.set_resource(resource);
        Ok(Self(exporter))
    }
}

/// A record, and who wrote it.
pub(super) type Record = Box<(SdkLogRecord, InstrumentationScope)>;

impl Sink<Record> for Records {
    fn send(&mut self, batch: Vec<Record>) -> OTelSdkResult {
        let batch: Vec<_> = batch.iter().map(|record| (&record.0, &record.1)).collect();
        block_on(self.0.export(LogBatch::new(&batch)))
    }
}

/// Sends metrics.
pub(super) fn metrics(to: &Exporter) -> Result<MetricExporter, ExporterBuildError> {
    exporter!(MetricExporter::builder(), to)
}
