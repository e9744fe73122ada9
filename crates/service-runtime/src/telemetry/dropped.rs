//! What was lost of the telemetry itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use opentelemetry::KeyValue;
use opentelemetry::metrics::Meter;

/// Of one signal.
#[derive(Debug, Default)]
pub(super) struct Dropped {
    /// There was no room for it.
    queue_full: AtomicU64,
    /// It was sent and not taken.
    export_failed: AtomicU64,
}

impl Dropped {
    pub(super) fn queue_full(&self, number: usize) {
        self.queue_full.fetch_add(number as u64, Ordering::Relaxed);
    }

    pub(super) fn export_failed(&self, number: usize) {
        self.export_failed.fetch_add(number as u64, Ordering::Relaxed);
    }

    /// For want of room, and because it was not taken.
    pub(super) fn counts(&self) -> (u64, u64) {
        (self.queue_full.load(Ordering::Relaxed), self.export_failed.load(Ordering::Relaxed))
    }
}

/// Of all signals.
#[derive(Clone, Debug, Default)]
pub(super) struct AllDropped {
    pub(super) spans: Arc<Dropped>,
    pub(super) log_records: Arc<Dropped>,
    /// Of the log's own lines.
    pub(super) log_lines: Arc<Dropped>,
}

impl AllDropped {
    /// Shows them.
    pub(super) fn observe(&self, meter: &Meter) {
        let attributes = |signal: &'static str, why: &'static str| {
            [KeyValue::new("triptych.signal", signal), KeyValue::new("error.type", why)]
        };
        let signals =
            [("spans", &self.spans), ("log_records", &self.log_records), ("log_lines", &self.log_lines)];
        let counters = signals.map(|(signal, dropped)| {
            (attributes(signal, "queue_full"), attributes(signal, "export_failed"), Arc::clone(dropped))
        });
        let counter = meter.u64_observable_counter("triptych.telemetry.dropped");
        counter
            .with_description("What was lost of the telemetry itself")
            .with_callback(move |observer| {
                for (full, failed, dropped) in &counters {
                    let (by_room, by_failure) = dropped.counts();
                    observer.observe(by_room, full);
                    observer.observe(by_failure, failed);
                }
            })
            .build();
    }
}
