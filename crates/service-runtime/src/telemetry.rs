//! What a service shows of itself: its log, its metrics, the spans of its requests.
//!
//! Requests are recorded once, in their `RequestContext`, and read when they have ended, by the [`Observe`] that
//! this makes. What leaves the process goes through queues that nobody waits for.

mod delivery;
mod dropped;
pub(crate) mod log;
mod metrics;
mod observer;
mod otlp;
mod process;
mod pseudonyms;
mod queue;
mod records;
mod requests;
mod settings;
mod spans;
mod variables;
mod wire;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use opentelemetry::metrics::{Meter, MeterProvider as _, NoopMeterProvider};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::Resource;
use opentelemetry_semantic_conventions::attribute::{
    SERVICE_INSTANCE_ID, SERVICE_NAME, SERVICE_VERSION, VCS_REF_HEAD_REVISION,
};
use request_context::{Observe, Unobserved};
use tokio::time::Instant;
use uuid::Uuid;

use crate::{BuildError, Inspector};
use dropped::{AllDropped, Dropped};
use metrics::Metrics;
use observer::Observer;
pub(crate) use observer::sampled;
use otlp::Items;
use pseudonyms::Pseudonyms;
use queue::Queue;
use requests::RequestMetrics;
pub use settings::TelemetrySettings;
pub(crate) use variables::Variables;

/// How long the end of a process waits for a collector to take what is left.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// What a service shows of itself. Cheap to clone.
#[derive(Clone)]
pub struct Telemetry(Arc<Inner>);

struct Inner {
    meter: Meter,
    observer: Arc<dyn Observe>,
    metrics: Option<Metrics>,
    dropped: AllDropped,
    spans: Option<Arc<Queue>>,
    records: Option<Arc<Queue>>,
    inspector: Option<Inspector>,
}

impl Telemetry {
    /// Shows nothing: for tests, and for commands that serve nobody.
    pub fn off() -> Self {
        Self(Arc::new(Inner {
            meter: NoopMeterProvider::new().meter("off"),
            observer: Arc::new(Unobserved),
            metrics: None,
            inspector: None,
            dropped: AllDropped::default(),
            spans: None,
            records: None,
        }))
    }

    /// For the service of this name and version, exporting where the `OTEL_*` variables of `env` say. Must be called in
    /// a runtime, which must outlive it.
    pub fn start(
        name: &'static str,
        version: &'static str,
        settings: &TelemetrySettings,
        env: &[(String, String)],
    ) -> Result<Self, BuildError> {
        let variables = Variables::read(env)?;
        let resource = resource(name, version, &variables);
        let metrics = Metrics::new(&resource, &variables)?;
        let meter = metrics.meter();
        build_info(&meter, name, version);
        process::observe(&meter);
        let dropped = AllDropped::default();
        dropped.observe(&meter);
        let spans = spans(&variables, &resource, &dropped)?;
        let inspector =
            settings.inspector.then(|| Inspector::new(settings.inspector_requests, settings.slow));
        let observer = Observer {
            requests: RequestMetrics::new(&meter),
            inspector: inspector.clone(),
            server_timing: settings.server_timing.clone(),
            slow: settings.slow,
            users: Pseudonyms::default(),
            sampler: variables.sampler,
            spans: spans.clone(),
        };
        let records = records(&variables, &resource, &dropped)?;
        let (metrics, observer) = (Some(metrics), Arc::new(observer));
        Ok(Self(Arc::new(Inner { meter, observer, metrics, dropped, spans, records, inspector })))
    }

    /// What instruments are made with.
    pub fn meter(&self) -> Meter {
        self.0.meter.clone()
    }

    /// Who is to see every request.
    pub fn observer(&self) -> Arc<dyn Observe> {
        Arc::clone(&self.0.observer)
    }

    /// The last requests, where they are kept.
    pub(crate) fn inspector(&self) -> Option<&Inspector> {
        self.0.inspector.as_ref()
    }

    /// All metrics, in Prometheus' text format.
    pub fn scrape(&self) -> String {
        self.0.metrics.as_ref().map(Metrics::text).unwrap_or_default()
    }

    /// Has what is left exported, for a second at most. What comes later is lost.
    pub fn end(&self) {
        let due = Instant::now() + LAST_WORDS;
        let ends = [
            self.0.spans.as_ref().map(|spans| spans.end()),
            self.0.records.as_ref().map(|records| records.end()),
            self.0.metrics.as_ref().map(Metrics::end),
        ];
        for end in ends.into_iter().flatten() {
            // An error, when the time is over or there is nobody any more: both say that it is time to go.
            let _ = end.recv_timeout(due - Instant::now());
        }
    }

    /// Where log records go that are exported.
    fn records(&self) -> Option<Arc<Queue>> {
        self.0.records.clone()
    }

    /// Where lost lines of the log are counted.
    fn lost_lines(&self) -> Arc<Dropped> {
        Arc::clone(&self.0.dropped.log_lines)
    }
}

impl fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Telemetry")
    }
}

fn spans(
    variables: &Variables,
    resource: &Resource,
    dropped: &AllDropped,
) -> Result<Option<Arc<Queue>>, BuildError> {
    let Some(to) = &variables.traces else { return Ok(None) };
    let sink = Items::spans(to, resource)?;
    Ok(Some(Arc::new(Queue::start("spans", variables.spans, Arc::clone(&dropped.spans), sink)?)))
}

fn records(
    variables: &Variables,
    resource: &Resource,
    dropped: &AllDropped,
) -> Result<Option<Arc<Queue>>, BuildError> {
    let Some(to) = &variables.logs else { return Ok(None) };
    let (sink, dropped) = (Items::log_records(to, resource)?, Arc::clone(&dropped.log_records));
    Ok(Some(Arc::new(Queue::start("log_records", variables.records, dropped, sink)?)))
}

/// The name of all our instruments and spans.
fn scope() -> InstrumentationScope {
    InstrumentationScope::builder("triptych").build()
}

/// Who it is that shows something. What the variables say goes before what the program knows.
fn resource(name: &'static str, version: &'static str, variables: &Variables) -> Resource {
    let known = [
        KeyValue::new(SERVICE_NAME, name),
        KeyValue::new(SERVICE_VERSION, version),
        KeyValue::new(SERVICE_INSTANCE_ID, Uuid::new_v4().to_string()),
    ];
    let said = variables.resource.iter().map(|(key, value)| KeyValue::new(key.clone(), value.clone()));
    let named = variables.service_name.clone().map(|name| KeyValue::new(SERVICE_NAME, name));
    Resource::builder_empty().with_attributes(known.into_iter().chain(said).chain(named)).build()
}

/// Which build runs: of which version, and of which commit if the build was told.
fn build_info(meter: &Meter, name: &'static str, version: &'static str) {
    let revision = option_env!("TRIPTYCH_REVISION").unwrap_or("unknown");
    let attributes = [
        KeyValue::new(SERVICE_NAME, name),
        KeyValue::new(SERVICE_VERSION, version),
        KeyValue::new(VCS_REF_HEAD_REVISION, revision),
    ];
    let gauge = meter.u64_observable_gauge("triptych.build.info").with_description("The build that runs");
    gauge.with_callback(move |observer| observer.observe(1, &attributes)).build();
}

#[cfg(test)]
mod tests;
