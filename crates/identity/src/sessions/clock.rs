//! What time it is.

use jiff::Timestamp;
use tokio::time::Instant;

/// The wall's time, which replicas share; in tests one that begins with them and passes as tokio's does.
#[derive(Clone, Copy)]
pub(crate) struct Clock(Option<(Timestamp, Instant)>);

impl Clock {
    pub(crate) fn wall() -> Self {
        Self(None)
    }

    #[cfg(test)]
    pub(crate) fn of_test() -> Self {
        Self(Some((Timestamp::from_second(1_800_000_000).unwrap(), Instant::now())))
    }

    pub(crate) fn now(self) -> Timestamp {
        match self.0 {
            None => Timestamp::now(),
            Some((began, at)) => began + at.elapsed(),
        }
    }
}
