//! How often the provider is asked, whatever comes in.

use std::time::Duration;

use tokio::time::Instant;

/// Two attempts may begin within this time.
const WINDOW: Duration = Duration::from_mins(1);
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// The latest attempts to get something from the provider.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pace {
    last: Option<Instant>,
    last_but_one: Option<Instant>,
    failures: u32,
}

impl Pace {
    /// Whether an attempt would be at most the second within a minute.
    pub(crate) fn is_within_budget(&self) -> bool {
        self.last_but_one.is_none_or(|begun| begun.elapsed() >= WINDOW)
    }

    /// Whether the latest attempt succeeded or lies far enough back: after `n` failures, 0.5 s × 2ⁿ⁻¹, at
    /// most 5 s.
    pub(crate) fn has_backed_off(&self) -> bool {
        let Some(doublings) = self.failures.checked_sub(1) else {
            return true;
        };
        let factor = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
        let wait = FIRST_WAIT.saturating_mul(factor).min(LONGEST_WAIT);
        self.last.is_none_or(|begun| begun.elapsed() >= wait)
    }

    /// Whether the latest attempt failed.
    pub(crate) fn is_failing(&self) -> bool {
        self.failures > 0
    }

    /// An attempt begins now.
    pub(crate) fn begin(&mut self) {
        self.last_but_one = self.last.replace(Instant::now());
    }

    /// The attempt that began last has ended.
    pub(crate) fn end(&mut self, succeeded: bool) {
        self.failures = if succeeded { 0 } else { self.failures.saturating_add(1) };
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn two_attempts_a_minute_are_within_budget() {
        let mut pace = Pace::default();
        pace.begin();
        advance(Duration::from_secs(20)).await;
        assert!(pace.is_within_budget());
        pace.begin();
        advance(Duration::from_secs(39)).await;
        assert!(!pace.is_within_budget());
        advance(Duration::from_secs(1)).await;
        assert!(pace.is_within_budget());
    }

    #[tokio::test(start_paused = true)]
    async fn failures_are_spaced_further_and_further_apart() {
        let mut pace = Pace::default();
        for wait in [500, 1000, 2000, 4000, 5000, 5000] {
            assert!(pace.has_backed_off());
            pace.begin();
            pace.end(false);
            advance(Duration::from_millis(wait - 1)).await;
            assert!(!pace.has_backed_off(), "it did not wait {wait} ms");
            advance(Duration::from_millis(1)).await;
        }
        pace.failures = u32::MAX;
        assert!(pace.has_backed_off());
        pace.begin();
        pace.end(true);
        assert!(pace.has_backed_off() && !pace.is_failing());
    }
}
