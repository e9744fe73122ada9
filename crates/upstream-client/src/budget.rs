//! What an upstream may be asked beyond the calls that are made: 10 % more, and one a second.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;

use crate::window::Window;

/// Time is the coin: an attempt costs a second, so each second that passes earns one.
const PRICE: Duration = Duration::from_secs(1);
/// What a call earns: a tenth of an attempt.
const PER_CALL: Duration = Duration::from_millis(100);
/// What time alone earns is saved up to this: one attempt.
const MOST_SAVED: Duration = PRICE;
/// One call in so many may be hedged.
const CALLS_PER_HEDGE: u64 = 20;
/// How many seconds what calls have earned can be spent.
const SECONDS: usize = 10;

/// The budget of one upstream, from which every retry, hedge and other extra attempt is paid.
///
/// The idea is Finagle's `RetryBudget`, with less: whatever happens, within any span of time there are at most as many
/// extra attempts as a tenth of the calls in it and in the ten seconds before it, and one for each of its seconds, and
/// one. From the start on: attempts ≤ 1.1 × calls + seconds + 1. This holds exactly; nothing is rounded.
#[derive(Debug)]
pub(crate) struct Budget(Mutex<Ledger>);

/// What a budget has left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BudgetState {
    /// Calls of the last ten seconds.
    pub calls: u64,
    /// How many more attempts could be made now.
    pub attempts_left: u64,
    /// How many of these could be hedges.
    pub hedges_left: u64,
}

#[derive(Debug)]
struct Ledger {
    /// One second more than is spent from: a hedge is remembered until every call that allowed it is forgotten.
    window: Window<Second, { SECONDS + 1 }>,
    /// What time alone has earned, as of `saved_at`.
    saved: Duration,
    saved_at: Instant,
}

#[derive(Clone, Copy, Debug, Default)]
struct Second {
    calls: u64,
    hedges: u64,
    /// What its calls have earned and nobody has spent.
    earned: Duration,
}

impl Budget {
    /// A budget without calls, with one attempt saved.
    pub(crate) fn new() -> Self {
        let now = Instant::now();
        Self(Mutex::new(Ledger { window: Window::new(now), saved: MOST_SAVED, saved_at: now }))
    }

    /// Says that a call is made, however many attempts it may take.
    pub(crate) fn call(&self) {
        let mut ledger = self.ledger();
        let newest = ledger.window.newest();
        newest.calls += 1;
        newest.earned += PER_CALL;
    }

    /// Pays for one attempt more; `false` if it must not be made.
    #[must_use]
    pub(crate) fn withdraw(&self) -> bool {
        self.ledger().pay()
    }

    /// Pays for one hedge: an attempt like others, but of these at most 5 % of the calls of the last ten seconds.
    #[must_use]
    pub(crate) fn withdraw_hedge(&self) -> bool {
        let mut ledger = self.ledger();
        let paid = ledger.hedges_left() > 0 && ledger.pay();
        ledger.window.newest().hedges += u64::from(paid);
        paid
    }

    /// What is left.
    pub(crate) fn state(&self) -> BudgetState {
        let mut ledger = self.ledger();
        let calls = ledger.spendable().map(|second| second.calls).sum();
        let attempts_left = ledger.balance().as_secs() / PRICE.as_secs();
        BudgetState { calls, attempts_left, hedges_left: ledger.hedges_left().min(attempts_left) }
    }

    /// The ledger as it is now.
    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        let now = Instant::now();
        let mut ledger = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ledger.window.advance(now);
        let passed = now.saturating_duration_since(ledger.saved_at);
        ledger.saved = (ledger.saved + passed).min(MOST_SAVED);
        ledger.saved_at = ledger.saved_at.max(now);
        ledger
    }
}

impl Ledger {
    /// Spends first what would be lost first: what time has earned, then what the oldest calls have.
    fn pay(&mut self) -> bool {
        if self.balance() < PRICE {
            return false;
        }
        let mut due = PRICE.saturating_sub(std::mem::take(&mut self.saved));
        for second in self.spendable() {
            let part = second.earned.min(due);
            second.earned -= part;
            due -= part;
        }
        true
    }

    fn balance(&mut self) -> Duration {
        self.saved + self.spendable().map(|second| second.earned).sum::<Duration>()
    }

    fn hedges_left(&mut self) -> u64 {
        let hedges: u64 = self.window.iter().map(|second| second.hedges).sum();
        let calls: u64 = self.spendable().map(|second| second.calls).sum();
        (calls / CALLS_PER_HEDGE).saturating_sub(hedges)
    }

    fn spendable(&mut self) -> impl Iterator<Item = &mut Second> {
        self.window.oldest_first().skip(1)
    }
}

#[cfg(test)]
mod tests;
