//! Whether a provider that fails is asked again, by many who ask at once.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::pace::Pace;

/// As many attempts as there are while all is well; once some have failed in a row, one at a time with waits between them.
#[derive(Default)]
pub(super) struct Gate(Mutex<State>);

/// So many failures in a row are an outage.
const OUTAGE: u32 = 3;

#[derive(Default)]
struct State {
    pace: Pace,
    /// How many failures were counted, and how many of them since the last success.
    failed: u64,
    in_a_row: u32,
}

/// An attempt that is under way.
pub(super) struct Turn {
    /// What had failed when it began.
    failed: u64,
}

impl Gate {
    /// An attempt may begin; `None` if one failed a moment ago.
    pub(super) fn enter(&self) -> Option<Turn> {
        let mut state = self.state();
        if !state.pace.has_backed_off() {
            return None;
        }
        state.pace.begin();
        Some(Turn { failed: state.failed })
    }

    /// The attempt has ended. Of those that were under way together only the first failure counts: it was one
    /// outage.
    pub(super) fn leave(&self, turn: &Turn, available: bool) {
        let mut state = self.state();
        if available {
            state.in_a_row = 0;
            state.pace.end(true);
        } else if turn.failed == state.failed {
            state.failed += 1;
            state.in_a_row += 1;
            // One failure may be that of one token: three are the provider's.
            let is_outage = state.in_a_row >= OUTAGE;
            state.pace.end(!is_outage);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_outage_is_counted_once_and_probed_by_one() {
        let gate = Gate::default();
        for failures in 1..=OUTAGE {
            assert!(gate.enter().is_some(), "{failures}: one failure may be that of one token");
            let turns: Vec<_> = (0..100).map(|_| gate.enter().unwrap()).collect();
            for turn in &turns {
                gate.leave(turn, false);
            }
        }
        assert!(gate.enter().is_none());
        advance(Duration::from_millis(500)).await;
        let probe = gate.enter().expect("a hundred failures of one outage counted as one");
        assert!(gate.enter().is_none(), "two probed");
        gate.leave(&probe, false);
        advance(Duration::from_millis(999)).await;
        assert!(gate.enter().is_none(), "the second wait was as short as the first");
        advance(Duration::from_millis(1)).await;
        gate.leave(&gate.enter().unwrap(), true);
        assert!(gate.enter().is_some() && gate.enter().is_some());
    }
}
