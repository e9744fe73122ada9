//! How often the provider is asked for fresh tokens while it gives none.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use moka::sync::Cache;

use super::cookie::SessionKey;
use crate::pace::Pace;

/// So many failures in a row are the provider's; fewer may be those of one session.
const OF_THE_PROVIDER: u32 = 3;
/// So many sessions that failed of late are remembered, for so long.
const SESSIONS: u64 = 10_000;
const REMEMBERED_FOR: Duration = Duration::from_mins(1);

/// What failed of late: for one session, and for all.
pub(crate) struct Paces {
    sessions: Cache<SessionKey, Pace>,
    provider: Mutex<Failures>,
}

#[derive(Default)]
struct Failures {
    in_a_row: u32,
    pace: Pace,
}

impl Paces {
    pub(crate) fn new() -> Self {
        let sessions = Cache::builder().max_capacity(SESSIONS).time_to_live(REMEMBERED_FOR).build();
        Self { sessions, provider: Mutex::default() }
    }

    /// Whether the provider may be asked for this session.
    pub(crate) fn are_open(&self, key: SessionKey) -> bool {
        self.sessions.get(&key).is_none_or(|pace| pace.has_backed_off())
            && self.provider().pace.has_backed_off()
    }

    /// Whether the provider may be asked, which then happens: while it fails, by one session at a time.
    pub(crate) fn begin(&self, key: SessionKey) -> bool {
        let mut provider = self.provider();
        let open = self.sessions.get(&key).is_none_or(|pace| pace.has_backed_off())
            && provider.pace.has_backed_off();
        if open {
            provider.pace.begin();
        }
        open
    }

    /// What came of it. A refusal is an answer.
    pub(crate) fn end(&self, key: SessionKey, answered: bool) {
        let mut provider = self.provider();
        if answered {
            *provider = Failures::default();
            self.sessions.invalidate(&key);
            return;
        }
        provider.in_a_row = provider.in_a_row.saturating_add(1);
        if provider.in_a_row >= OF_THE_PROVIDER {
            provider.pace.end(false);
        }
        let mut pace = self.sessions.get(&key).unwrap_or_default();
        pace.begin();
        pace.end(false);
        self.sessions.insert(key, pace);
    }

    fn provider(&self) -> MutexGuard<'_, Failures> {
        self.provider.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::super::cookie::SessionId;
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_sessions_failure_is_its_own_and_three_in_a_row_are_the_providers() {
        let paces = Paces::new();
        let keys: Vec<_> = (0..5).map(|_| SessionId::random().key()).collect();
        for failing in 0..2 {
            assert!(paces.begin(keys[failing]));
            paces.end(keys[failing], false);
            assert!(!paces.are_open(keys[failing]) && paces.are_open(keys[4]));
        }
        assert!(paces.begin(keys[2]));
        paces.end(keys[2], false);
        assert!(!paces.are_open(keys[4]) && !paces.begin(keys[4]));

        advance(Duration::from_millis(500)).await;
        assert!(paces.begin(keys[4]), "nobody finds out that the provider is back");
        assert!(!paces.begin(keys[3]), "two ask while it fails");
        paces.end(keys[4], true);
        assert!(paces.are_open(keys[0]) && paces.are_open(keys[3]));
    }
}
