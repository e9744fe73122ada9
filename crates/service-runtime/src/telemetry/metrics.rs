//! Metrics: where instruments come from, `GET /metrics`, and a collector.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use futures::executor::block_on;
use opentelemetry::metrics::{Meter, MeterProvider as _};
use opentelemetry_otlp::MetricExporter;
use opentelemetry_prometheus::PrometheusExporter;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::metrics::reader::MetricReader;
use opentelemetry_sdk::metrics::{InstrumentKind, Pipeline, SdkMeterProvider, Temporality};
use prometheus::{Registry, TextEncoder};
use tokio::runtime::Handle;

use super::delivery::Delivery;
use super::{Variables, otlp};
use crate::BuildError;

/// The metrics of a process.
pub(super) struct Metrics {
    provider: SdkMeterProvider,
    registry: Registry,
    /// Ends what sends them, if they are sent.
    ends: Option<Sender<Sender<()>>>,
}

impl Metrics {
    pub(super) fn new(resource: &Resource, variables: &Variables) -> Result<Self, BuildError> {
        let registry = Registry::new();
        let exporter = opentelemetry_prometheus::exporter().with_registry(registry.clone());
        let reader = Reader(Arc::new(exporter.scope_info_enabled(false).build()?));
        let provider =
            SdkMeterProvider::builder().with_resource(resource.clone()).with_reader(reader.clone()).build();
        let ends = match &variables.metrics {
            Some(to) => Some(send(reader, otlp::metrics(to)?, variables.metric_interval)?),
            None => None,
        };
        Ok(Self { provider, registry, ends })
    }

    pub(super) fn meter(&self) -> Meter {
        self.provider.meter_with_scope(super::scope())
    }

    /// All there is, in Prometheus' text format.
    pub(super) fn text(&self) -> String {
        // An error would be a name that Prometheus does not take, which the exporter has made one that it does.
        TextEncoder::new().encode_to_string(&self.registry.gather()).unwrap_or_default()
    }

    /// Has the last figures exported. The receiver hears when that is done.
    pub(super) fn end(&self) -> Receiver<()> {
        let (done, is_done) = mpsc::channel();
        if let Some(ends) = &self.ends {
            // Without anybody to send them there is nothing to wait for: the receiver hears that, too.
            let _ = ends.send(done);
        }
        is_done
    }
}

/// Reads what was counted: for whoever scrapes it, and for what sends it. Each with a reader of its own would have
/// everything counted twice.
#[derive(Clone, Debug)]
struct Reader(Arc<PrometheusExporter>);

impl MetricReader for Reader {
    fn register_pipeline(&self, pipeline: Weak<Pipeline>) {
        self.0.register_pipeline(pipeline);
    }

    fn collect(&self, all: &mut ResourceMetrics) -> OTelSdkResult {
        self.0.collect(all)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.0.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.0.shutdown_with_timeout(timeout)
    }

    fn temporality(&self, kind: InstrumentKind) -> Temporality {
        self.0.temporality(kind)
    }
}

/// Begins a thread that sends everything at this interval, and a last time before it ends. Those who want it to end are
/// told when it has.
fn send(reader: Reader, to: MetricExporter, interval: Duration) -> std::io::Result<Sender<Sender<()>>> {
    let (ends, end) = mpsc::channel();
    let runtime = Handle::try_current().ok();
    thread::Builder::new().name("metrics".to_owned()).spawn(move || {
        // gRPC needs one, and not only where its exporter was made.
        let _inside = runtime.as_ref().map(Handle::enter);
        let mut delivery = Delivery::of("metrics");
        let mut next = end.recv_timeout(interval);
        while !matches!(next, Err(RecvTimeoutError::Disconnected)) {
            let mut all = ResourceMetrics::default();
            delivery.went(reader.collect(&mut all).and_then(|()| block_on(to.export(&all))));
            if let Ok(done) = next {
                let _: Result<(), _> = Sender::send(&done, ());
                return;
            }
            next = end.recv_timeout(interval);
        }
    })?;
    Ok(ends)
}
