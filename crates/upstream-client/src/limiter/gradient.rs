//! How many calls at once the service can take, learnt from how long they take.
//!
//! Gradient2 of Netflix's concurrency-limits: while the latency of the last moment is within the tolerance of the
//! usual one, the limit grows by its square root; beyond, it shrinks in proportion. Here time is counted in
//! seconds and not in samples, so that little traffic recovers as fast as much does. Calls that are refused or
//! not answered at all shrink it by a tenth (AIMD), since their latency says nothing.
//!
//! The usual latency must follow a service that has changed, yet under lasting overload it would learn the
//! queue that we make ourselves, and the limit would creep up to its cap. So, as BBR does to measure a round
//! trip, the limit steps back for a moment now and then, and what is seen without that queue is the most that
//! is usual.

use std::time::Duration;

use tokio::time::Instant;

use super::LimiterSettings;

/// No limit is below it: too few calls to learn from.
const FLOOR: f64 = 4.0;
/// A window lasts two usual calls, within these bounds, and until there are so many samples or it is the longest.
const SHORTEST_WINDOW: Duration = Duration::from_millis(100);
const LONGEST_WINDOW: Duration = Duration::from_secs(1);
const SAMPLES: u32 = 10;
/// What is gone of the way to a new limit after [`SHORTEST_WINDOW`].
const SMOOTHING: f64 = 0.2;
/// One latency of a window is never trusted to more than halve the limit.
const STEEPEST: f64 = 0.5;
/// What refusals leave of the limit, once in a window.
const BACKOFF: f64 = 0.9;
/// One refusal, and one more in so many answers, is no sign of overload if there are answers at all.
const NOISE: u32 = 20;
/// Shorter latencies count as this, in seconds: what varies there is our own scheduling, on a busy machine by some
/// milliseconds, and not the service.
const LEAST_LATENCY: f64 = 0.010;
/// How fast the usual latency follows a higher one, and a lower one.
const RISE: Duration = Duration::from_mins(1);
const FALL: Duration = Duration::from_secs(15);
/// How often the limit steps back under load, and how many times the usual latency calls for it.
const PROBE_INTERVAL: Duration = Duration::from_secs(10);
const PROBE_ABOVE: f64 = 1.2;
/// How far it steps back: beyond what the tolerance let in, as the usual latency may hold some of the queue too.
const PROBE_DEPTH: f64 = 2.0;

/// The limit of one service.
#[derive(Debug)]
pub(super) struct Gradient {
    settings: LimiterSettings,
    limit: f64,
    /// The usual latency in seconds, once there is any.
    usual: Option<f64>,
    window: Option<Window>,
    probe: Probe,
}

/// What was seen since `began`.
#[derive(Debug)]
struct Window {
    began: Instant,
    answers: u32,
    /// Of all answers, in seconds.
    latency: f64,
    refusals: u32,
    most_in_flight: usize,
}

/// Stepping back: a window for our queue to drain, then a window to measure.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Probe {
    Not { since: Instant },
    Draining,
    Measuring,
}

impl Gradient {
    pub(super) fn new(settings: LimiterSettings, now: Instant) -> Self {
        let mut gradient =
            Self { settings, limit: FLOOR, usual: None, window: None, probe: Probe::Not { since: now } };
        gradient.set(number(settings.initial));
        gradient
    }

    /// How many calls there may be at once.
    pub(super) fn get(&self) -> usize {
        whole(self.limit)
    }

    /// The same for all but the most important, which do not step back: it is not they who make the queue.
    pub(super) fn stepped_back(&self) -> usize {
        match self.probe {
            Probe::Not { .. } => self.get(),
            Probe::Draining | Probe::Measuring => {
                whole((self.limit / (self.settings.tolerance * PROBE_DEPTH)).max(FLOOR).min(self.limit))
            }
        }
    }

    /// One of `in_flight` calls was answered after `latency`.
    pub(super) fn answered(&mut self, now: Instant, latency: Duration, in_flight: usize) {
        let window = self.window(now, in_flight);
        window.answers += 1;
        window.latency += latency.as_secs_f64();
        self.turn(now);
    }

    /// One of `in_flight` calls was refused because of load, or had its full time and no answer.
    pub(super) fn overloaded(&mut self, now: Instant, in_flight: usize) {
        self.window(now, in_flight).refusals += 1;
        self.turn(now);
    }

    fn window(&mut self, now: Instant, in_flight: usize) -> &mut Window {
        let window = self.window.get_or_insert(Window {
            began: now,
            answers: 0,
            latency: 0.0,
            refusals: 0,
            most_in_flight: 0,
        });
        window.most_in_flight = window.most_in_flight.max(in_flight);
        window
    }

    /// Learns from the window if that is over.
    fn turn(&mut self, now: Instant) {
        let call = Duration::from_secs_f64(2.0 * self.usual.unwrap_or(0.0));
        let enough = call.clamp(SHORTEST_WINDOW, LONGEST_WINDOW);
        let over = |window: &mut Window| {
            let age = now.duration_since(window.began);
            age >= LONGEST_WINDOW || age >= enough && window.answers + window.refusals >= SAMPLES
        };
        if let Some(window) = self.window.take_if(over) {
            self.learn(&window, now);
        }
    }

    fn learn(&mut self, window: &Window, now: Instant) {
        if window.refusals > window.answers.min(1 + window.answers / NOISE) {
            self.probe = Probe::Not { since: now };
            return self.set(self.limit * BACKOFF);
        }
        let latency = (window.latency / f64::from(window.answers)).max(LEAST_LATENCY);
        match self.probe {
            Probe::Not { .. } => {}
            Probe::Draining => return self.probe = Probe::Measuring,
            Probe::Measuring => {
                self.probe = Probe::Not { since: now };
                self.usual = self.usual.map(|usual| usual.min(latency));
                return;
            }
        }
        let age = now.duration_since(window.began).min(LONGEST_WINDOW);
        let usual = self.follow(latency, age);
        let used = window.most_in_flight * 2 >= self.get();
        self.adapt((self.settings.tolerance * usual / latency).clamp(STEEPEST, 1.0), used, age);
        if used && latency > PROBE_ABOVE * usual && self.probe_is_due(now) {
            self.probe = Probe::Draining;
        }
    }

    /// Moves the usual latency towards that of a window of this age.
    fn follow(&mut self, latency: f64, age: Duration) -> f64 {
        let usual = self.usual.unwrap_or(latency);
        let pace = if latency < usual { FALL } else { RISE };
        let mut usual = usual + (latency - usual) * (1.0 - (-age.div_duration_f64(pace)).exp());
        if usual > 2.0 * latency {
            // What was learnt in an outage is forgotten faster than it was learnt.
            usual *= BACKOFF.powf(age.div_duration_f64(SHORTEST_WINDOW));
        }
        self.usual = Some(usual);
        usual
    }

    fn adapt(&mut self, gradient: f64, used: bool, age: Duration) {
        let aim = self.limit * gradient + self.limit.sqrt();
        let step = 1.0 - (1.0 - SMOOTHING).powf(age.div_duration_f64(SHORTEST_WINDOW));
        let limit = self.limit + (aim - self.limit) * step;
        if used {
            self.set(limit);
        } else if gradient >= 1.0 {
            // What is not used says nothing of more, but a healthy service is trusted as at the start.
            self.set(limit.min(number(self.settings.initial)).max(self.limit));
        }
    }

    fn probe_is_due(&self, now: Instant) -> bool {
        matches!(self.probe, Probe::Not { since } if now.duration_since(since) >= PROBE_INTERVAL)
    }

    fn set(&mut self, limit: f64) {
        self.limit = limit.max(FLOOR).min(number(self.settings.most));
    }
}

fn number(calls: usize) -> f64 {
    f64::from(u32::try_from(calls).unwrap_or(u32::MAX))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between 0 and `most`; truncation is meant"
)]
fn whole(limit: f64) -> usize {
    limit as usize
}
