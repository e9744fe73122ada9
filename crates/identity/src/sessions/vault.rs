//! Sessions where they are kept: sealed in the store, and the opened ones at hand.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use moka::sync::Cache;
use request_context::Caller;
use store::{Entry, If, Store, StoreError, Version};

use super::clock::Clock;
use super::cookie::SessionKey;
use super::record::{Lifetimes, Record, until};
use crate::seal::Keyring;

/// The opened sessions together take at most this many bytes.
const CAPACITY: u64 = 16 << 20;
/// What one takes beside its token, which it holds three times.
const OVERHEAD: usize = 1024;
/// One that nobody asks for is forgotten after this time: the store has it.
const FORGOTTEN_AFTER: Duration = Duration::from_mins(5);
/// Longer than a refresh that began before can take.
const REPLACED_FOR: Duration = Duration::from_mins(5);
/// So often a session that changes all the time is read again before it is ended as it is.
const LOOKS: usize = 3;
/// The use of a session is noted at most this often, and at most so many times in its idle time: a session
/// that is in use ends too early by no more than that part.
const AT_MOST_EVERY: Duration = Duration::from_secs(1);
const NOTES: u32 = 20;
/// What stands in the place of a session that another one replaced.
const REPLACED: &[u8] = b"replaced";

/// The sessions of all replicas, as one of them sees them.
pub(crate) struct Vault<S> {
    pub(crate) store: S,
    pub(crate) clock: Clock,
    pub(crate) lifetimes: Lifetimes,
    keyring: Keyring,
    realm: Arc<str>,
    /// What the store has is opened and read once for each version.
    opened: Cache<SessionKey, Arc<Opened>>,
}

/// One version of a session.
pub(crate) struct Opened {
    pub(crate) key: SessionKey,
    pub(crate) version: Version,
    pub(crate) record: Record,
    pub(crate) caller: Caller,
    /// Whether somebody is writing down that it was used.
    pub(crate) noting: AtomicBool,
}

/// What the store has in the place of a session.
pub(crate) enum Found {
    Session(Arc<Opened>),
    /// It ended: it is no longer there.
    Nothing,
    /// Another one replaced it, or nobody can read it.
    Foreign,
}

impl<S: Store> Vault<S> {
    pub(crate) fn new(
        store: S,
        keyring: Keyring,
        realm: Arc<str>,
        lifetimes: Lifetimes,
        clock: Clock,
    ) -> Self {
        let weigh = |_: &SessionKey, opened: &Arc<Opened>| {
            u32::try_from(3 * opened.caller.token.expose().len() + OVERHEAD).unwrap_or(u32::MAX)
        };
        let opened =
            Cache::builder().max_capacity(CAPACITY).weigher(weigh).time_to_idle(FORGOTTEN_AFTER).build();
        Self { store, clock, lifetimes, keyring, realm, opened }
    }

    /// The session as it is now. The store is asked every time, so that one that was ended in another replica
    /// is over in this one too.
    pub(crate) async fn find(&self, key: SessionKey) -> Result<Found, StoreError> {
        let name = key.name();
        let Some(stored) = self.store.get(&name).await? else {
            self.opened.invalidate(&key);
            return Ok(Found::Nothing);
        };
        let known = self.opened.get(&key).filter(|opened| opened.version == stored.version);
        let opened = known.or_else(|| {
            let json = self.keyring.open(&name, &stored.value)?;
            self.keep(key, stored.version, Record::read(&json, &self.realm)?)
        });
        let Some(opened) = opened else {
            return Ok(Found::Foreign);
        };
        let ended = opened.record.ends(self.lifetimes) <= self.clock.now();
        Ok(if ended { Found::Nothing } else { Found::Session(opened) })
    }

    /// As [`find`](Self::find), for whom it is the same why there is none.
    pub(crate) async fn load(&self, key: SessionKey) -> Result<Option<Arc<Opened>>, StoreError> {
        Ok(match self.find(key).await? {
            Found::Session(opened) => Some(opened),
            Found::Nothing | Found::Foreign => None,
        })
    }

    /// Writes a session, if the store has what `condition` wants; `None` says that it does not.
    pub(crate) async fn write(
        &self,
        key: SessionKey,
        record: Record,
        condition: If,
    ) -> Result<Option<Arc<Opened>>, StoreError> {
        let name = key.name();
        let left = until(self.clock.now(), record.ends(self.lifetimes));
        let entry = Entry::new(self.keyring.seal(&name, &record.write()), left);
        let entry = record.tags().fold(entry, Entry::tag);
        let version = self.store.put(&name, entry, condition).await?;
        Ok(version.and_then(|version| self.keep(key, version, record)))
    }

    /// Ends a session. Says whether it was there, in the version that `condition` wants.
    pub(crate) async fn delete(&self, key: SessionKey, condition: If) -> Result<bool, StoreError> {
        self.opened.invalidate(&key);
        self.store.delete(&key.name(), condition).await
    }

    /// Ends a session whose user has signed in again. Who is refreshing it sees that its tokens must not be
    /// revoked: to the provider, old and new ones can be one grant.
    pub(crate) async fn replace(&self, key: SessionKey) -> Result<(), StoreError> {
        self.opened.invalidate(&key);
        let entry = Entry::new(REPLACED, REPLACED_FOR);
        self.store.put(&key.name(), entry, If::Any).await.map(drop)
    }

    /// Deletes the session in the version that is returned: what it was, and nothing newer, is there to be
    /// revoked.
    pub(crate) async fn end(&self, key: SessionKey) -> Result<Option<Arc<Opened>>, StoreError> {
        let mut last = None;
        for _ in 0..LOOKS {
            let Found::Session(session) = self.find(key).await? else {
                return Ok(None);
            };
            if self.delete(key, If::Version(session.version)).await? {
                return Ok(Some(session));
            }
            last = Some(session);
        }
        self.delete(key, If::Any).await?;
        Ok(last)
    }

    /// Whether the use of a session is to be noted, now and by the caller.
    pub(crate) fn is_due(&self, session: &Opened) -> bool {
        let step = (self.lifetimes.idle / NOTES).max(AT_MOST_EVERY);
        let due = until(session.record.last_seen, self.clock.now()) >= step;
        due && !session.noting.swap(true, Ordering::Relaxed)
    }

    /// Notes that a session is in use. Who loses the race against another write was not the only one to use
    /// it, or comes again.
    pub(crate) async fn note_use(&self, session: &Opened) {
        let seen = session.record.seen(self.clock.now());
        if self.write(session.key, seen, If::Version(session.version)).await.is_err() {
            session.noting.store(false, Ordering::Relaxed);
        }
    }

    fn keep(&self, key: SessionKey, version: Version, record: Record) -> Option<Arc<Opened>> {
        let caller = record.caller()?;
        let opened = Arc::new(Opened { key, version, record, caller, noting: AtomicBool::new(false) });
        self.opened.insert(key, Arc::clone(&opened));
        Some(opened)
    }
}
