//! Metrics: where instruments come from, and `GET /metrics`.

use opentelemetry::metrics::{Meter, MeterProvider as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkError;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use prometheus::{Registry, TextEncoder};

/// The name of all our instruments' scope.
const SCOPE: &str = "triptych";

/// The metrics of a process.
pub(super) struct Metrics {
    provider: SdkMeterProvider,
    registry: Registry,
}

impl Metrics {
    pub(super) fn new(resource: Resource) -> Result<Self, OTelSdkError> {
        let registry = Registry::new();
        let prometheus = opentelemetry_prometheus::exporter()
            .with_registry(registry.clone())
            .scope_info_enabled(false)
            .build()?;
        let provider = SdkMeterProvider::builder().with_resource(resource).with_reader(prometheus).build();
        Ok(Self { provider, registry })
    }

    pub(super) fn meter(&self) -> Meter {
        self.provider.meter(SCOPE)
    }

    /// All there is, in Prometheus' text format.
    pub(super) fn text(&self) -> String {
        // An error would be a name that Prometheus does not take, which the exporter has made one that it does.
        TextEncoder::new().encode_to_string(&self.registry.gather()).unwrap_or_default()
    }
}
