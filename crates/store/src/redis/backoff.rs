//! How long to wait before connecting again.

use std::time::Duration;

const SHORTEST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(1);
/// A connection that lasted for so long was a good one.
const STABLE: Duration = Duration::from_secs(5);

/// Waits that double, each drawn from its upper half, so that replicas do not come back as one.
#[derive(Debug)]
pub(super) struct Backoff(Duration);

impl Backoff {
    pub(super) fn new() -> Self {
        Self(SHORTEST)
    }

    /// Waits, unless the last connection was a good one. One that failed lasted for no time.
    pub(super) async fn wait(&mut self, lasted: Duration) {
        if lasted >= STABLE {
            *self = Self::new();
            return;
        }
        let wait = self.0.mul_f64(rand::random_range(0.5..=1.0));
        self.0 = (self.0 * 2).min(LONGEST);
        tokio::time::sleep(wait).await;
    }
}
