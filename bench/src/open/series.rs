//! What came of the requests of each second and of each phase.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;
use serde_json::json;

use super::arrivals::Arrival;
use super::plan::Plan;
use super::{Asked, Outcome};
use crate::Failure;

const LONGEST_MICROSECONDS: u64 = 600_000_000;
/// Digits of a latency that are exact.
const PRECISION: u8 = 2;

/// Counts, and writes a line for each second that is complete.
pub(super) struct Series<W> {
    plan: Arc<Plan>,
    out: W,
    seconds: Vec<Tally>,
    phases: Vec<Tally>,
    /// How many seconds have passed, and how many were written.
    passed: usize,
    written: usize,
}

/// What came of the requests that were due in some span of time.
#[derive(Clone, Default)]
struct Tally {
    classes: BTreeMap<usize, Count>,
    /// Requests without an outcome.
    open: usize,
    /// How late the latest request was sent, because the generator itself had no time.
    lag: Duration,
}

/// The same of one class.
#[derive(Clone, Default)]
struct Count {
    offered: u64,
    unsent: u64,
    tries: u64,
    good: Latencies,
    degraded: Latencies,
    shed: Latencies,
    failed: Latencies,
    reasons: BTreeMap<String, u64>,
}

#[derive(Clone, Default)]
struct Latencies(Option<Histogram<u64>>);

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    count: u64,
    p50_ms: f64,
    p99_ms: f64,
}

impl<W: Write> Series<W> {
    pub(super) fn new(plan: Arc<Plan>, out: W) -> Self {
        let seconds = vec![Tally::default(); plan.seconds()];
        let phases = vec![Tally::default(); plan.phases.len()];
        Self { plan, out, seconds, phases, passed: 0, written: 0 }
    }

    /// For scripts, which break and mend the services by this moment.
    pub(super) fn begin(&mut self) -> Result<(), Failure> {
        self.line(&json!({"started": true}))
    }

    pub(super) fn offered(&mut self, arrival: &Arrival, lag: Duration) {
        for tally in self.of(arrival) {
            tally.lag = tally.lag.max(lag);
            tally.open += 1;
            tally.classes.entry(arrival.class).or_default().offered += 1;
        }
    }

    pub(super) fn unsent(&mut self, arrival: &Arrival) -> Result<(), Failure> {
        for tally in self.of(arrival) {
            tally.open -= 1;
            tally.classes.entry(arrival.class).or_default().unsent += 1;
        }
        self.write_complete()
    }

    pub(super) fn ended(
        &mut self,
        arrival: &Arrival,
        asked: &Asked,
        latency: Duration,
    ) -> Result<(), Failure> {
        for tally in self.of(arrival) {
            tally.open -= 1;
            tally.classes.entry(arrival.class).or_default().add(asked, latency)?;
        }
        self.write_complete()
    }

    /// The seconds up to now have had all their arrivals.
    pub(super) fn passed(&mut self, elapsed: Duration) -> Result<(), Failure> {
        self.passed = usize::try_from(elapsed.as_secs())?.min(self.seconds.len());
        self.write_complete()
    }

    /// Writes what is left, then a line for each phase.
    pub(super) fn finish(mut self) -> Result<(), Failure> {
        self.passed = self.seconds.len();
        self.write_complete()?;
        for (index, tally) in std::mem::take(&mut self.phases).iter().enumerate() {
            let phase = &self.plan.phases[index];
            let line = json!({"total": phase.name, "seconds": phase.seconds, "rate": phase.rate,
                "lagMs": milliseconds(tally.lag), "classes": self.classes(tally)});
            self.line(&line)?;
        }
        Ok(())
    }

    fn of(&mut self, arrival: &Arrival) -> [&mut Tally; 2] {
        let second = arrival.second();
        [&mut self.seconds[second], &mut self.phases[self.plan.phase_of(second)]]
    }

    fn write_complete(&mut self) -> Result<(), Failure> {
        while self.written < self.passed && self.seconds[self.written].open == 0 {
            let second = self.written;
            let tally = std::mem::take(&mut self.seconds[second]);
            let phase = &self.plan.phases[self.plan.phase_of(second)].name;
            let line = json!({"second": second, "phase": phase, "lagMs": milliseconds(tally.lag),
                "classes": self.classes(&tally)});
            self.line(&line)?;
            self.written += 1;
        }
        Ok(())
    }

    fn classes(&self, tally: &Tally) -> BTreeMap<&str, serde_json::Value> {
        let named = self.plan.classes.iter().enumerate();
        named
            .map(|(index, class)| {
                let count = tally.classes.get(&index).cloned().unwrap_or_default();
                (class.name.as_str(), count.shown())
            })
            .collect()
    }

    fn line(&mut self, line: &serde_json::Value) -> Result<(), Failure> {
        writeln!(self.out, "{line}")?;
        Ok(self.out.flush()?)
    }
}

impl Count {
    fn add(&mut self, asked: &Asked, latency: Duration) -> Result<(), Failure> {
        self.tries += u64::from(asked.tries);
        match &asked.outcome {
            Outcome::Good => &mut self.good,
            Outcome::Degraded => &mut self.degraded,
            Outcome::Shed => &mut self.shed,
            Outcome::Failed(reason) => {
                *self.reasons.entry(reason.clone()).or_default() += 1;
                &mut self.failed
            }
        }
        .add(latency)
    }

    fn shown(&self) -> serde_json::Value {
        json!({"offered": self.offered, "unsent": self.unsent, "tries": self.tries,
            "good": self.good.summary(), "degraded": self.degraded.summary(), "shed": self.shed.summary(),
            "failed": self.failed.summary(), "reasons": self.reasons})
    }
}

impl Latencies {
    fn add(&mut self, latency: Duration) -> Result<(), Failure> {
        let histogram = match &mut self.0 {
            Some(histogram) => histogram,
            none => none.insert(Histogram::new_with_bounds(1, LONGEST_MICROSECONDS, PRECISION)?),
        };
        histogram.saturating_record(u64::try_from(latency.as_micros())?);
        Ok(())
    }

    fn summary(&self) -> Summary {
        let at = |quantile| {
            let value = self.0.as_ref().map_or(0, |histogram| histogram.value_at_quantile(quantile));
            milliseconds(Duration::from_micros(value))
        };
        let count = self.0.as_ref().map_or(0, Histogram::len);
        Summary { count, p50_ms: at(0.5), p99_ms: at(0.99) }
    }
}

fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e5).round() / 1e2
}
