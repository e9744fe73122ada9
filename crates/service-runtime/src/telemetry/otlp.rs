//! What takes the signals to a collector, over HTTP or gRPC.
//!
//! Metrics are sent by the library's exporter. Spans and log records, of which there are many for each request, are bytes
//! when they come here: the library has no place for these.

mod grpc;
mod http;

use std::time::Duration;

use bytes::Bytes;
use futures::executor::block_on;
use opentelemetry_otlp::tonic_types::transport::ClientTlsConfig;
use opentelemetry_otlp::{
    ExporterBuildError, MetricExporter, WithExportConfig, WithHttpConfig, WithTonicConfig,
};
use opentelemetry_sdk::Resource;
use tokio::runtime::Handle;
use tokio::time::timeout;

use super::queue::Sink;
use super::variables::{Exporter, Protocol};
use super::wire::{self, Envelope};
use crate::BuildError;

/// Sends spans, or log records.
pub(super) struct Items {
    envelope: Envelope,
    transport: Transport,
    patience: Duration,
    runtime: Handle,
}

#[derive(Clone)]
enum Transport {
    Http(Box<http::Exports>),
    Grpc(Box<grpc::Exports>),
}

impl Items {
    /// Must be called in a runtime, which does the sending.
    pub(super) fn spans(to: &Exporter, resource: &Resource) -> Result<Self, BuildError> {
        Self::new(to, resource, "/opentelemetry.proto.collector.trace.v1.TraceService/Export")
    }

    /// The same.
    pub(super) fn log_records(to: &Exporter, resource: &Resource) -> Result<Self, BuildError> {
        Self::new(to, resource, "/opentelemetry.proto.collector.logs.v1.LogsService/Export")
    }

    fn new(to: &Exporter, resource: &Resource, method: &'static str) -> Result<Self, BuildError> {
        let transport = match to.protocol {
            Protocol::Http => Transport::Http(Box::new(http::Exports::new(to)?)),
            Protocol::Grpc => Transport::Grpc(Box::new(grpc::Exports::new(to, method)?)),
        };
        let (envelope, runtime) = (Envelope::new(resource), Handle::try_current()?);
        Ok(Self { envelope, transport, patience: to.timeout, runtime })
    }
}

impl Sink for Items {
    fn send(&mut self, items: &[u8]) -> Result<usize, BuildError> {
        let (body, transport) = (Bytes::from(self.envelope.around(items)), self.transport.clone());
        let patience = self.patience;
        let answered = async move {
            match transport {
                Transport::Http(exports) => timeout(patience, exports.send(body)).await?,
                Transport::Grpc(exports) => timeout(patience, exports.send(body)).await?,
            }
        };
        // On the runtime, where connections live on between two batches; at its end this is told so.
        let answer = block_on(self.runtime.spawn(answered))??;
        Ok(wire::rejected(&answer))
    }
}

/// Sends metrics.
pub(super) fn metrics(to: &Exporter) -> Result<MetricExporter, ExporterBuildError> {
    match to.protocol {
        Protocol::Http => {
            let builder = MetricExporter::builder().with_http().with_endpoint(&to.endpoint);
            let builder = builder.with_timeout(to.timeout);
            match to.compression {
                Some(compression) => builder.with_compression(compression).build(),
                None => builder.build(),
            }
        }
        Protocol::Grpc => {
            let builder = MetricExporter::builder().with_tonic().with_endpoint(&to.endpoint);
            let builder = builder.with_timeout(to.timeout);
            let builder = if to.is_tls() {
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
}
