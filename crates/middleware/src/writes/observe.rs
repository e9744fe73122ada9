//! What a meter sees of writes with a key.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use opentelemetry::KeyValue;
use opentelemetry::metrics::Meter;
use problem::{Problem, kind};

use super::Writes;
use super::records::Claim;

/// What became of the claims of writes, in the order of the counts.
const OUTCOMES: [&str; 5] = ["new", "replayed", "conflict", "mismatch", "unavailable"];

/// Claims by what became of them.
#[derive(Default)]
pub(super) struct Counts([AtomicU64; OUTCOMES.len()]);

impl Counts {
    pub(super) fn count(&self, claim: &Result<Claim, Problem>) {
        let place = match claim {
            Ok(Claim::Run(_)) => 0,
            Ok(Claim::Answered(_)) => 1,
            Err(problem) if problem.kind() == kind::IDEMPOTENCY_IN_PROGRESS => 2,
            Err(problem) if problem.kind() == kind::IDEMPOTENCY_MISMATCH => 3,
            Err(_) => 4,
        };
        self.0[place].fetch_add(1, Ordering::Relaxed);
    }
}

impl<S> Writes<S> {
    /// Shows this meter what became of writes with a key.
    pub fn observe(&self, meter: &Meter) {
        let counts = Arc::downgrade(&self.counts);
        let requests = meter.u64_observable_counter("triptych.idempotency.requests");
        let requests = requests.with_callback(move |to| {
            let Some(counts) = counts.upgrade() else { return };
            for (outcome, count) in OUTCOMES.iter().zip(&counts.0) {
                let of = [KeyValue::new("triptych.outcome", *outcome)];
                to.observe(count.load(Ordering::Relaxed), &of);
            }
        });
        requests.build();
    }
}
