//! How long an operation takes: the 95th percentile of the last seconds, at which a call is hedged.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;

/// Two of these are looked at: the running one and the one before it.
const WINDOW: Duration = Duration::from_secs(10);
/// With fewer samples a 95th percentile is a guess.
const ENOUGH: u64 = 50;
/// After so many samples the 95th percentile is worked out again.
const REFRESH: u64 = 32;
/// Powers of two, in microseconds: 64 µs to 67 s. What is shorter or longer counts as the shortest or longest.
const FIRST_POWER: u32 = 6;
const LAST_POWER: u32 = 25;
/// Each power of two is cut into 8 buckets of one width, as `HdrHistogram` does: 6 to 12 % of what they hold.
const CUTS: u32 = 3;
const BUCKETS: usize = ((LAST_POWER - FIRST_POWER + 1) << CUTS) as usize;

/// The latencies of one operation over the last 10 to 20 seconds.
#[derive(Debug)]
pub(crate) struct Latency(Mutex<Windows>);

/// How long an operation has taken, over the last 10 to 20 seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LatencyState {
    /// How many calls are known of.
    pub samples: u64,
    /// The median in microseconds; with too few samples `None`, as the others.
    pub p50_us: Option<u64>,
    /// The 95th percentile in microseconds.
    pub p95_us: Option<u64>,
    /// The 99th percentile in microseconds.
    pub p99_us: Option<u64>,
}

#[derive(Debug)]
struct Windows {
    began: Instant,
    /// How many windows came before the running one.
    number: u64,
    running: Histogram,
    previous: Histogram,
    /// As it was when worked out last, and how many samples have come since.
    p95: Option<Duration>,
    unseen: u64,
}

#[derive(Debug)]
struct Histogram {
    samples: u64,
    buckets: [u32; BUCKETS],
}

impl Latency {
    /// Nothing is known yet.
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Windows {
            began: Instant::now(),
            number: 0,
            running: Histogram::EMPTY,
            previous: Histogram::EMPTY,
            p95: None,
            unseen: 0,
        }))
    }

    /// Adds how long a call took.
    pub(crate) fn record(&self, took: Duration) {
        let mut windows = self.windows();
        windows.running.samples += 1;
        windows.running.buckets[bucket(took)] += 1;
        windows.unseen += 1;
    }

    /// What 95 % of the calls stayed under, but for the latest 31 that may not be counted yet; `None` if too few are
    /// known. At most 12.5 % too long, never too short, so that no more than 5 % are slower.
    pub(crate) fn p95(&self) -> Option<Duration> {
        let mut windows = self.windows();
        if windows.p95.is_none() || windows.unseen >= REFRESH {
            windows.p95 = windows.percentile(95);
            windows.unseen = 0;
        }
        windows.p95
    }

    /// What is known, to the last sample.
    pub(crate) fn state(&self) -> LatencyState {
        let windows = self.windows();
        let percentile = |percent| {
            let micros = windows.percentile(percent)?.as_micros();
            u64::try_from(micros).ok()
        };
        LatencyState {
            samples: windows.samples(),
            p50_us: percentile(50),
            p95_us: percentile(95),
            p99_us: percentile(99),
        }
    }

    /// The windows as they are now.
    fn windows(&self) -> MutexGuard<'_, Windows> {
        let now = Instant::now();
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        windows.advance(now);
        windows
    }
}

impl Windows {
    fn advance(&mut self, now: Instant) {
        let number = now.saturating_duration_since(self.began).as_secs() / WINDOW.as_secs();
        if number <= self.number {
            return;
        }
        let running = std::mem::replace(&mut self.running, Histogram::EMPTY);
        self.previous = if number == self.number + 1 { running } else { Histogram::EMPTY };
        self.number = number;
        self.p95 = None;
    }

    fn samples(&self) -> u64 {
        self.running.samples + self.previous.samples
    }

    /// The end of the bucket that holds the sample of that rank.
    fn percentile(&self, percent: u64) -> Option<Duration> {
        let samples = self.samples();
        if samples < ENOUGH {
            return None;
        }
        let rank = (samples * percent).div_ceil(100);
        let mut seen = 0;
        let both = self.running.buckets.iter().zip(&self.previous.buckets);
        let bucket = both.take_while(|(running, previous)| {
            seen += u64::from(**running) + u64::from(**previous);
            seen < rank
        });
        Some(end(bucket.count()))
    }
}

impl Histogram {
    const EMPTY: Self = Self { samples: 0, buckets: [0; BUCKETS] };
}

/// The bucket that counts `took`.
fn bucket(took: Duration) -> usize {
    let micros = took.as_micros().clamp(1 << FIRST_POWER, (2 << LAST_POWER) - 1);
    let power = micros.ilog2();
    // The bits below the highest one say where between two powers of two it lies.
    let cut = (micros >> (power - CUTS)) as usize & ((1 << CUTS) - 1);
    (((power - FIRST_POWER) as usize) << CUTS) + cut
}

/// What everything in a bucket is shorter than.
fn end(bucket: usize) -> Duration {
    let (power, cut) = (bucket >> CUTS, bucket & ((1 << CUTS) - 1));
    let eighths = ((1 << CUTS) + cut + 1) as u64;
    Duration::from_micros(eighths << (power + (FIRST_POWER - CUTS) as usize))
}

#[cfg(test)]
mod tests;
