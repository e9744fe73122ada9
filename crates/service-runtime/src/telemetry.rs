//! What a service shows of itself: its log, its metrics, the spans of its requests.
//!
//! Requests are recorded once, in their `RequestContext`, and read when they have ended, by the [`Observe`] that
//! this makes.

pub(crate) mod log;
mod metrics;
mod observer;
mod requests;
mod settings;

use std::fmt;
use std::sync::Arc;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Meter, MeterProvider as _, NoopMeterProvider};
use opentelemetry_sdk::Resource;
use opentelemetry_semantic_conventions::attribute::{
    SERVICE_INSTANCE_ID, SERVICE_NAME, SERVICE_VERSION, VCS_REF_HEAD_REVISION,
};
use request_context::{Observe, Unobserved};
use uuid::Uuid;

use crate::BuildError;
use metrics::Metrics;
use observer::Observer;
use requests::RequestMetrics;
pub use settings::TelemetrySettings;

/// What a service shows of itself. Cheap to clone.
#[derive(Clone)]
pub struct Telemetry(Arc<Inner>);

struct Inner {
    meter: Meter,
    observer: Arc<dyn Observe>,
    metrics: Option<Metrics>,
}

impl Telemetry {
    /// Shows nothing: for tests, and for commands that serve nobody.
    pub fn off() -> Self {
        let meter = NoopMeterProvider::new().meter("off");
        Self(Arc::new(Inner { meter, observer: Arc::new(Unobserved), metrics: None }))
    }

    /// For the service of this name and version.
    pub fn new(
        name: &'static str,
        version: &'static str,
        settings: &TelemetrySettings,
    ) -> Result<Self, BuildError> {
        let metrics = Metrics::new(resource(name, version))?;
        let meter = metrics.meter();
        build_info(&meter, name, version);
        let requests = RequestMetrics::new(&meter);
        let observer = Observer { requests, server_timing: settings.server_timing.clone() };
        Ok(Self(Arc::new(Inner { meter, observer: Arc::new(observer), metrics: Some(metrics) })))
    }

    /// What instruments are made with.
    pub fn meter(&self) -> Meter {
        self.0.meter.clone()
    }

    /// Who is to see every request.
    pub fn observer(&self) -> Arc<dyn Observe> {
        Arc::clone(&self.0.observer)
    }

    /// All metrics, in Prometheus' text format.
    pub fn scrape(&self) -> String {
        self.0.metrics.as_ref().map(Metrics::text).unwrap_or_default()
    }
}

impl fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Telemetry")
    }
}

fn resource(name: &'static str, version: &'static str) -> Resource {
    let attributes = [
        KeyValue::new(SERVICE_NAME, name),
        KeyValue::new(SERVICE_VERSION, version),
        KeyValue::new(SERVICE_INSTANCE_ID, Uuid::new_v4().to_string()),
    ];
    Resource::builder_empty().with_attributes(attributes).build()
}

/// Which build runs: of which version, and of which commit if the build was told.
fn build_info(meter: &Meter, name: &'static str, version: &'static str) {
    let mut attributes = vec![KeyValue::new(SERVICE_NAME, name), KeyValue::new(SERVICE_VERSION, version)];
    if let Some(revision) = option_env!("TRIPTYCH_REVISION") {
        attributes.push(KeyValue::new(VCS_REF_HEAD_REVISION, revision));
    }
    let gauge = meter.u64_observable_gauge("triptych.build.info").with_description("The build that runs");
    gauge.with_callback(move |observer| observer.observe(1, &attributes)).build();
}
