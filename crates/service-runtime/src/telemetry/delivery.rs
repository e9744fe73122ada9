//! Whether what is sent is taken.

use std::fmt::Display;
use std::time::Duration;

use tokio::time::Instant;
use tracing::{info, warn};

/// A collector that takes nothing is spoken of this often.
const BETWEEN_REPORTS: Duration = Duration::from_mins(1);
/// How long it is left alone after its first failure, and how long after many.
const FIRST_REST: Duration = Duration::from_secs(1);
const LONGEST_REST: Duration = Duration::from_secs(30);

/// What is known of whoever takes one signal.
pub(super) struct Delivery {
    /// What it is called in the log.
    signal: &'static str,
    failing: Option<Failing>,
}

struct Failing {
    reported: Instant,
    rest: Duration,
}

impl Delivery {
    pub(super) fn of(signal: &'static str) -> Self {
        Self { signal, failing: None }
    }

    /// How long to send nothing. To make and send what nobody takes would cost as much as if it were taken.
    pub(super) fn rest(&self) -> Option<Duration> {
        self.failing.as_ref().map(|failing| failing.rest)
    }

    /// Notes how it went, and says so when that is news.
    pub(super) fn went<T, E: Display>(&mut self, result: Result<T, E>) {
        let Err(error) = result else {
            if self.failing.take().is_some() {
                info!(signal = self.signal, "telemetry is exported again");
            }
            return;
        };
        let report = || warn!(signal = self.signal, %error, "telemetry cannot be exported and is dropped");
        match &mut self.failing {
            None => {
                report();
                self.failing = Some(Failing { reported: Instant::now(), rest: FIRST_REST });
            }
            Some(failing) => {
                failing.rest = LONGEST_REST.min(2 * failing.rest);
                if failing.reported.elapsed() >= BETWEEN_REPORTS {
                    report();
                    failing.reported = Instant::now();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {

    use super::*;

    #[test]
    fn who_keeps_failing_is_left_alone_ever_longer() {
        let mut delivery = Delivery::of("spans");
        let mut rests = vec![];
        for _ in 0..7 {
            rests.push(delivery.rest().map(|rest| rest.as_secs()));
            delivery.went(Err::<(), _>("nobody takes it"));
        }
        assert_eq!(rests, [None, Some(1), Some(2), Some(4), Some(8), Some(16), Some(30)]);
        delivery.went(Ok::<_, &str>(()));
        assert_eq!(delivery.rest(), None);
    }
}
