//! Noting that a session is in use.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use store::If;

use super::Sessions;
use super::record::until;
use super::vault::Opened;

/// The use of a session is noted at most this often, and at most so many times in its idle time: a session that is in
/// use ends too early by no more than that part.
const AT_MOST_EVERY: Duration = Duration::from_secs(1);
const NOTES: u32 = 20;

impl Sessions {
    /// Behind the request's back: who loses the race against another write was not the only one to use the session, or
    /// comes again.
    pub(super) fn note_use(&self, session: &Arc<Opened>) {
        let vault = &self.0.vault;
        let now = vault.clock.now();
        let step = (vault.lifetimes.idle / NOTES).max(AT_MOST_EVERY);
        if until(session.record.last_seen, now) < step || session.noting.swap(true, Ordering::Relaxed) {
            return;
        }
        let (vault, session) = (Arc::clone(vault), Arc::clone(session));
        self.0.tasks.spawn(async move {
            let seen = session.record.seen(now);
            if vault.write(session.key, seen, If::Version(session.version)).await.is_err() {
                session.noting.store(false, Ordering::Relaxed);
            }
        });
    }
}
