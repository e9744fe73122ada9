//! A circuit breaker (Nygard, *Release It!*): an operation that fails is left alone, and tried again soon.

use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rand::Rng;
use serde::Serialize;
use tokio::time::Instant;

use crate::window::Window;

/// How many seconds of results are judged.
const SECONDS: usize = 10;
/// From so many results on, their share decides: under a half must not fail.
const ENOUGH: u64 = 20;
/// With fewer than [`ENOUGH`] results, so many failures in a row decide.
const STREAK: u64 = 5;
/// From opening to the first probe, and from each probe to the next. With one that fails after a second, a recovered
/// upstream is still used again within two; the jitter keeps replicas apart.
const PAUSE: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_millis(1500);

/// The breaker of one operation. Disabled, it is nothing: it admits every call and counts none.
#[derive(Debug)]
pub(crate) struct Breaker(Option<Mutex<Circuit>>);

/// Leave to make one call, and the duty to say how it ended. Dropped without a word, as by a caller who left, it says
/// nothing of the upstream: a probe's place is then free for the next call.
#[derive(Debug)]
#[must_use = "dropped, it says that the call was given up"]
pub(crate) struct Admission {
    breaker: Arc<Breaker>,
    epoch: u64,
    succeeded: Option<bool>,
}

/// The breaker is open: the call must not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Open {
    /// How long until a call may probe.
    pub(crate) retry_after: Duration,
}

/// What a breaker does and what it has seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BreakerState {
    /// What happens to the next call.
    pub position: BreakerPosition,
    /// Results of the last ten seconds, none older than the last closing; once open, those that opened it.
    pub results: u64,
    /// The failures among [`results`](Self::results).
    pub failures: u64,
    /// Failures since the last success, however long ago.
    pub consecutive_failures: u64,
    /// Milliseconds until a call may probe, while open or probing.
    pub probe_in_ms: Option<u64>,
    /// How often it has opened, failed probes not counted.
    pub opened: u64,
}

/// What a breaker does with the next call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BreakerPosition {
    /// Admits it, as every other: there is no breaker.
    Disabled,
    /// Admits it.
    Closed,
    /// Refuses it, or admits it as a probe if one is due.
    Open,
    /// Refuses it, or admits it as one more probe if one is due: another is under way.
    Probing,
}

#[derive(Debug)]
struct Circuit {
    position: BreakerPosition,
    /// Rises with every opening and closing: what was admitted before one has no say after it.
    epoch: u64,
    tally: Tally,
    next_probe: Instant,
    opened: u64,
}

/// What has come back since the breaker closed.
#[derive(Debug)]
struct Tally {
    window: Window<Results, SECONDS>,
    streak: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Results {
    all: u64,
    failed: u64,
}

impl Breaker {
    /// A breaker that is closed, or none at all.
    pub(crate) fn new(enabled: bool) -> Arc<Self> {
        Arc::new(Self(enabled.then(|| Mutex::new(Circuit::new(Instant::now())))))
    }

    /// Leave to make a call now.
    pub(crate) fn admit(self: &Arc<Self>) -> Result<Admission, Open> {
        let epoch = self.circuit().map_or(Ok(0), |mut circuit| circuit.admit())?;
        Ok(Admission { breaker: Arc::clone(self), epoch, succeeded: None })
    }

    /// Whether calls go through as usual: if not, none that could be spared should be made.
    pub(crate) fn is_closed(&self) -> bool {
        self.circuit().is_none_or(|circuit| circuit.position == BreakerPosition::Closed)
    }

    /// What it does and what it has seen.
    pub(crate) fn state(&self) -> BreakerState {
        self.circuit().map_or(BreakerState::DISABLED, |mut circuit| circuit.state(Instant::now()))
    }

    fn circuit(&self) -> Option<MutexGuard<'_, Circuit>> {
        Some(self.0.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl BreakerState {
    const DISABLED: Self = Self {
        position: BreakerPosition::Disabled,
        results: 0,
        failures: 0,
        consecutive_failures: 0,
        probe_in_ms: None,
        opened: 0,
    };
}

impl Admission {
    /// The upstream did its work.
    pub(crate) fn succeeded(mut self) {
        self.succeeded = Some(true);
    }

    /// The upstream failed, and not because it was given too little time.
    pub(crate) fn failed(mut self) {
        self.succeeded = Some(false);
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        if let Some(mut circuit) = self.breaker.circuit() {
            circuit.settle(self.epoch, self.succeeded);
        }
    }
}

impl Circuit {
    fn new(now: Instant) -> Self {
        let (position, tally) = (BreakerPosition::Closed, Tally::new(now));
        Self { position, epoch: 0, tally, next_probe: now, opened: 0 }
    }

    fn admit(&mut self) -> Result<u64, Open> {
        if self.position != BreakerPosition::Closed {
            let now = Instant::now();
            if now < self.next_probe {
                return Err(Open { retry_after: self.next_probe.saturating_duration_since(now) });
            }
            // Beside one that still hangs, perhaps: a service that has recovered must not wait for its timeout.
            self.position = BreakerPosition::Probing;
            self.next_probe = now + pause();
        }
        Ok(self.epoch)
    }

    fn settle(&mut self, epoch: u64, succeeded: Option<bool>) {
        if epoch != self.epoch {
            return;
        }
        let closed = self.position == BreakerPosition::Closed;
        match succeeded {
            Some(succeeded) if closed => self.count(succeeded),
            None if closed => {}
            Some(true) => self.close(),
            Some(false) => self.position = BreakerPosition::Open,
            None => {
                self.position = BreakerPosition::Open;
                self.next_probe = Instant::now();
            }
        }
    }

    fn count(&mut self, succeeded: bool) {
        let now = Instant::now();
        self.tally.count(succeeded, now);
        if self.tally.condemns() {
            self.turn(BreakerPosition::Open);
            self.next_probe = now + pause();
            self.opened += 1;
        }
    }

    fn close(&mut self) {
        self.turn(BreakerPosition::Closed);
        self.tally = Tally::new(Instant::now());
    }

    fn turn(&mut self, position: BreakerPosition) {
        self.position = position;
        self.epoch += 1;
    }

    fn state(&mut self, now: Instant) -> BreakerState {
        let closed = self.position == BreakerPosition::Closed;
        if closed {
            self.tally.window.advance(now);
        }
        let Results { all, failed } = self.tally.sum();
        let probe_in = self.next_probe.saturating_duration_since(now).as_millis();
        BreakerState {
            position: self.position,
            results: all,
            failures: failed,
            consecutive_failures: self.tally.streak,
            probe_in_ms: (!closed).then(|| u64::try_from(probe_in).unwrap_or(u64::MAX)),
            opened: self.opened,
        }
    }
}

impl Tally {
    fn new(now: Instant) -> Self {
        Self { window: Window::new(now), streak: 0 }
    }

    fn count(&mut self, succeeded: bool, now: Instant) {
        self.window.advance(now);
        let newest = self.window.newest();
        newest.all += 1;
        newest.failed += u64::from(!succeeded);
        self.streak = if succeeded { 0 } else { self.streak + 1 };
    }

    fn condemns(&self) -> bool {
        let Results { all, failed } = self.sum();
        if all < ENOUGH { self.streak >= STREAK } else { 2 * failed > all }
    }

    fn sum(&self) -> Results {
        self.window.iter().fold(Results::default(), |sum, second| Results {
            all: sum.all + second.all,
            failed: sum.failed + second.failed,
        })
    }
}

fn pause() -> Duration {
    rand::rng().random_range(PAUSE)
}

#[cfg(test)]
mod tests;
