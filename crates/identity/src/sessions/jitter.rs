//! Waits that are not the same in all replicas.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A source of chance, good enough to spread waits and for nothing else (`SplitMix64`). From the same seed
/// comes the same sequence, which a model needs.
pub(crate) struct Jitter(AtomicU64);

impl Jitter {
    pub(crate) fn new() -> Self {
        let mut seed = [0; 8];
        aws_lc_rs::rand::fill(&mut seed).expect("the system has randomness");
        Self::seeded(u64::from_ne_bytes(seed))
    }

    pub(crate) fn seeded(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    /// A time that is at least `least` and less than `most`.
    pub(crate) fn between(&self, least: Duration, most: Duration) -> Duration {
        let span = u64::try_from(most.saturating_sub(least).as_nanos()).unwrap_or(u64::MAX);
        least + Duration::from_nanos(self.next() % span.max(1))
    }

    pub(crate) fn next(&self) -> u64 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut mixed = self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
