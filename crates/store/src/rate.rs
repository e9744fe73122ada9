//! How much may be taken of what comes back with time: the generic cell rate algorithm (ITU-T I.371), whose whole
//! memory is one moment.
//!
//! A whole quota may be taken at once, and comes back evenly from then on. Per key there is the moment at which all
//! of it will be back; whoever takes one moves it by an interval.

use std::num::NonZeroU32;
use std::time::Duration;

use crate::memory::LONGEST;

/// How many in which time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    capacity: NonZeroU32,
    /// How long it takes until one comes back, in microseconds.
    interval: u64,
}

/// What became of an attempt to take one, and what is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Whether there was one.
    pub allowed: bool,
    /// How many there are now.
    pub remaining: u32,
    /// When there is one more than that; nothing when all are there.
    pub next: Duration,
    /// When all are there, if nobody takes any.
    pub reset: Duration,
}

impl Rate {
    /// `capacity` in `period`, which is rounded up so that one comes back after a whole number of microseconds.
    pub fn new(capacity: NonZeroU32, period: Duration) -> Self {
        let period = u64::try_from(period.min(LONGEST).as_micros()).unwrap_or(u64::MAX);
        Self { capacity, interval: period.div_ceil(capacity.get().into()).max(1) }
    }

    /// How many.
    pub fn capacity(self) -> u32 {
        self.capacity.get()
    }

    pub(crate) fn interval(self) -> u64 {
        self.interval
    }

    /// How long it takes until all come back, in microseconds.
    pub(crate) fn whole(self) -> u64 {
        self.interval.saturating_mul(self.capacity.get().into())
    }

    /// Takes one where it takes so many microseconds until all are back: how many it then takes, and whether there
    /// was one to take.
    pub(crate) fn take(self, used: u64) -> (u64, bool) {
        let used = used.min(self.whole());
        let after = used + self.interval;
        if after <= self.whole() { (after, true) } else { (used, false) }
    }

    /// What is left when it takes so many microseconds until all are back.
    pub(crate) fn taken(self, used: u64, allowed: bool) -> Taken {
        let left = self.whole().saturating_sub(used) / self.interval;
        let remaining = u32::try_from(left).unwrap_or(u32::MAX).min(self.capacity());
        let of_one_more =
            self.whole() - self.interval * (u64::from(remaining) + 1).min(self.capacity().into());
        let next = if remaining == self.capacity() { 0 } else { used.saturating_sub(of_one_more) };
        let [next, reset] = [next, used].map(Duration::from_micros);
        Taken { allowed, remaining, next, reset }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rate(capacity: u32, period: Duration) -> Rate {
        Rate::new(NonZeroU32::new(capacity).unwrap(), period)
    }

    #[test]
    fn a_whole_quota_at_once_and_then_one_by_one() {
        let rate = rate(3, Duration::from_mins(1));
        let mut used = 0;
        for (passed, allowed, remaining, next, reset) in [
            (0, true, 2, 20, 20),
            (0, true, 1, 20, 40),
            (5, true, 0, 15, 55),
            (0, false, 0, 15, 55),
            (15, true, 0, 20, 60),
            (19, false, 0, 1, 41),
            (41, true, 2, 20, 20),
            (1000, true, 2, 20, 20),
        ] {
            used = u64::saturating_sub(used, passed * 1_000_000);
            let (after, took) = rate.take(used);
            used = after;
            let [next, reset] = [next, reset].map(Duration::from_secs);
            assert_eq!(rate.taken(used, took), Taken { allowed, remaining, next, reset }, "after {passed}");
        }
    }

    #[test]
    fn extremes_are_rates_too() {
        for rate in [rate(u32::MAX, Duration::ZERO), rate(1, Duration::MAX), rate(u32::MAX, Duration::MAX)] {
            let (used, allowed) = rate.take(0);
            assert!(allowed && rate.taken(used, allowed).remaining == rate.capacity() - 1, "{rate:?}");
            assert_eq!(rate.take(u64::MAX), (rate.whole(), false), "{rate:?}");
        }
    }

    proptest! {
        /// In any time no more is given than a whole quota and what came back.
        #[test]
        fn no_more_is_given_than_there_is(
            capacity in 1..20_u32, period in 1..2000_u64, pauses in prop::collection::vec(0..500_u64, 1..100),
        ) {
            let rate = rate(capacity, Duration::from_micros(period));
            let (mut used, mut passed, mut given) = (0_u64, 0, 0);
            for pause in pauses {
                passed += pause;
                used = used.saturating_sub(pause);
                let (after, allowed) = rate.take(used);
                let taken = rate.taken(after, allowed);
                prop_assert_eq!(rate.take(after).1, taken.remaining > 0);
                let later = after.saturating_sub(u64::try_from(taken.next.as_micros()).unwrap());
                prop_assert!(rate.taken(later, true).remaining > taken.remaining || taken.next.is_zero());
                given += u64::from(allowed);
                used = after;
            }
            prop_assert!(given <= u64::from(capacity) + passed / rate.interval(), "{} in {}", given, passed);
        }
    }
}
