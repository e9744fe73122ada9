//! What a meter sees of a store: how long each operation takes, whether the last one reached it, how full it is.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Histogram, Meter};
use tokio::time::Instant;

use crate::memory::Used;
use crate::shared::Kind;
use crate::{SharedStore, StoreError};

/// In seconds, as OpenTelemetry's semantic conventions have them.
const BUCKETS: [f64; 9] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0];

type OfMemory = fn(Used) -> usize;

/// What is full of a store in memory, and in which unit.
const GAUGES: [(&str, &str, OfMemory); 3] = [
    ("triptych.store.entries", "", |used| used.entries),
    ("triptych.store.size", "By", |used| used.bytes),
    ("triptych.store.limit", "By", |used| used.most_bytes),
];

/// What the clones of a store have seen of it.
#[derive(Debug)]
pub(crate) struct Watch {
    system: &'static str,
    /// None as long as nobody observes.
    durations: OnceLock<Histogram<f64>>,
    reached: AtomicBool,
}

/// An operation that goes on. It is counted when this is dropped, so also when its future is.
pub(crate) struct Timing<'a> {
    watch: &'a Watch,
    operation: &'static str,
    since: Option<Instant>,
    error: Option<&'static str>,
}

impl SharedStore {
    /// Shows this meter how the store is doing, which others know by what it `keeps`. Once; again changes nothing.
    pub fn observe(&self, keeps: &'static str, meter: &Meter) {
        let durations = meter.f64_histogram("db.client.operation.duration");
        let durations = durations.with_unit("s").with_boundaries(BUCKETS.to_vec()).build();
        if self.watch.durations.set(durations).is_err() {
            return;
        }
        let watch = Arc::downgrade(&self.watch);
        let of = [
            KeyValue::new("db.system.name", self.watch.system),
            KeyValue::new("triptych.store.keeps", keeps),
        ];
        let attributes = of.clone();
        let up = meter.u64_observable_gauge("triptych.store.up").with_callback(move |to| {
            let up = watch.upgrade().map(|watch| watch.reached.load(Ordering::Relaxed));
            if let Some(up) = up {
                to.observe(u64::from(up), &attributes);
            }
        });
        up.build();
        let Kind::Memory(memory) = &self.kind else { return };
        for (name, unit, read) in GAUGES {
            let (memory, of) = (Arc::downgrade(memory), of.clone());
            let gauge = meter.u64_observable_gauge(name).with_unit(unit).with_callback(move |to| {
                memory.upgrade().iter().for_each(|memory| to.observe(read(memory.used()) as u64, &of));
            });
            gauge.build();
        }
    }
}

impl Watch {
    pub(crate) fn new(system: &'static str) -> Arc<Self> {
        Arc::new(Self { system, durations: OnceLock::new(), reached: AtomicBool::new(true) })
    }

    pub(crate) fn begin(&self, operation: &'static str) -> Timing<'_> {
        let since = self.durations.get().map(|_| Instant::now());
        Timing { watch: self, operation, since, error: Some("cancelled") }
    }
}

impl Timing<'_> {
    /// It has an outcome.
    pub(crate) fn ended<T>(mut self, outcome: Result<T, StoreError>) -> Result<T, StoreError> {
        self.error = outcome.as_ref().err().map(StoreError::name);
        self.watch.reached.store(!matches!(outcome, Err(StoreError::Unavailable(_))), Ordering::Relaxed);
        outcome
    }
}

impl Drop for Timing<'_> {
    fn drop(&mut self) {
        let Some((durations, since)) = self.watch.durations.get().zip(self.since) else { return };
        let of = [
            KeyValue::new("db.system.name", self.watch.system),
            KeyValue::new("db.operation.name", self.operation),
            KeyValue::new("error.type", self.error.unwrap_or_default()),
        ];
        let said = if self.error.is_some() { &of[..] } else { &of[..2] };
        durations.record(since.elapsed().as_secs_f64(), said);
    }
}

impl StoreError {
    fn name(&self) -> &'static str {
        match self {
            Self::Unavailable(_) => "unavailable",
            Self::Full => "full",
        }
    }
}
