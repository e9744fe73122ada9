//! Metrics: where instruments come from, `GET /metrics`, and a collector.

use std::sync::mpsc::{self, Receiver};
use std::thread;

use opentelemetry::metrics::{Meter, MeterProvider as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::{PeriodicReader, SdkMeterProvider};
use prometheus::{Registry, TextEncoder};

use super::{Variables, otlp};
use crate::BuildError;

/// The metrics of a process.
pub(super) struct Metrics {
    provider: SdkMeterProvider,
    registry: Registry,
}

impl Metrics {
    pub(super) fn new(resource: &Resource, variables: &Variables) -> Result<Self, BuildError> {
        let registry = Registry::new();
        let exporter = opentelemetry_prometheus::exporter().with_registry(registry.clone());
        let mut provider = SdkMeterProvider::builder()
            .with_resource(resource.clone())
            .with_reader(exporter.scope_info_enabled(false).build()?);
        if let Some(to) = &variables.metrics {
            let reader = PeriodicReader::builder(otlp::metrics(to)?);
            provider = provider.with_reader(reader.with_interval(variables.metric_interval).build());
        }
        Ok(Self { provider: provider.build(), registry })
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
        let provider = self.provider.clone();
        // The provider waits for five seconds whatever it is told.
        thread::spawn(move || {
            // A collector that is not there is no reason to fail.
            let _ = provider.shutdown();
            let _ = done.send(());
        });
        is_done
    }
}
