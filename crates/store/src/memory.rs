use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use crate::{Entry, If, Lease, Rate, Store, StoreError, Stored, Taken, Version};

/// How much a [`MemoryStore`] holds.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// At most so many keys, as many leases, and as many keys of rates.
    pub entries: usize,
    /// At most so many bytes of keys, values and tags, with an allowance for what keeping them costs.
    pub bytes: usize,
}

/// What an entry costs beside its own bytes, about: its places in the three maps.
const OVERHEAD: usize = 256;
/// The longest time to live. Whoever wants more wants a database.
pub(crate) const LONGEST: Duration = Duration::from_hours(10 * 365 * 24);

/// A [`Store`] in this process's memory. What has ended is swept out by the next write.
#[derive(Debug)]
pub struct MemoryStore {
    bounds: Bounds,
    state: Mutex<State>,
}

/// How full a store in memory is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Used {
    pub(crate) entries: usize,
    pub(crate) bytes: usize,
    pub(crate) most_bytes: usize,
}

#[derive(Debug, Default)]
struct State {
    version: u64,
    bytes: usize,
    entries: HashMap<Arc<str>, Kept>,
    /// Keys by the moment at which they end.
    ends: BTreeSet<(Instant, Arc<str>)>,
    tags: HashMap<String, HashSet<Arc<str>>>,
    leases: HashMap<String, (Version, Instant)>,
    /// When all is back of what was taken.
    rates: HashMap<String, Instant>,
}

#[derive(Debug)]
struct Kept {
    value: Bytes,
    tags: Vec<String>,
    version: Version,
    ends: Instant,
}

impl MemoryStore {
    /// An empty store.
    pub fn new(bounds: Bounds) -> Self {
        Self { bounds, state: Mutex::default() }
    }

    /// How full it is, without what has ended.
    pub(crate) fn used(&self) -> Used {
        let state = self.swept(Instant::now());
        Used { entries: state.entries.len(), bytes: state.bytes, most_bytes: self.bounds.bytes }
    }

    /// Whether nothing at all is kept, not even in an index.
    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        let state = self.state();
        state.entries.is_empty() && state.ends.is_empty() && state.tags.is_empty() && state.bytes == 0
    }

    /// The state as it is now, without what has ended.
    fn swept(&self, now: Instant) -> MutexGuard<'_, State> {
        let mut state = self.state();
        while let Some((ends, key)) = state.ends.first()
            && *ends <= now
        {
            let key = Arc::clone(key);
            state.remove(&key);
        }
        state
    }

    /// A panic while the lock is held can only come from a lack of memory, which ends the process.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn next_version(&mut self) -> Version {
        self.version += 1;
        Version(self.version)
    }

    fn meets(&self, key: &str, condition: If) -> bool {
        let found = self.entries.get(key).map(|kept| kept.version);
        match condition {
            If::Any => true,
            If::Absent => found.is_none(),
            If::Version(version) => found == Some(version),
        }
    }

    fn insert(&mut self, key: &str, entry: Entry, now: Instant) -> Version {
        self.remove(key);
        let key: Arc<str> = key.into();
        let kept = Kept {
            version: self.next_version(),
            ends: ending(now, entry.ttl),
            value: entry.value,
            tags: entry.tags,
        };
        self.bytes += cost(&key, &kept.value, &kept.tags);
        self.ends.insert((kept.ends, Arc::clone(&key)));
        for tag in &kept.tags {
            self.tags.entry(tag.clone()).or_default().insert(Arc::clone(&key));
        }
        let version = kept.version;
        self.entries.insert(key, kept);
        version
    }

    fn remove(&mut self, key: &str) -> bool {
        let Some((key, kept)) = self.entries.remove_entry(key) else {
            return false;
        };
        self.bytes -= cost(&key, &kept.value, &kept.tags);
        for tag in kept.tags {
            if let Some(keys) = self.tags.get_mut(&tag) {
                keys.remove(&key);
                if keys.is_empty() {
                    self.tags.remove(&tag);
                }
            }
        }
        self.ends.remove(&(kept.ends, key))
    }
}

fn cost(key: &str, value: &Bytes, tags: &[String]) -> usize {
    OVERHEAD + key.len() + value.len() + tags.iter().map(|tag| OVERHEAD + tag.len()).sum::<usize>()
}

fn ending(now: Instant, ttl: Duration) -> Instant {
    now + ttl.min(LONGEST)
}

impl Store for MemoryStore {
    async fn get(&self, key: &str) -> Result<Option<Stored>, StoreError> {
        let now = Instant::now();
        let state = self.state();
        let kept = state.entries.get(key).filter(|kept| kept.ends > now);
        Ok(kept.map(|kept| Stored { value: kept.value.clone(), version: kept.version }))
    }

    async fn put(&self, key: &str, entry: Entry, condition: If) -> Result<Option<Version>, StoreError> {
        let now = Instant::now();
        let mut state = self.swept(now);
        if !state.meets(key, condition) {
            return Ok(None);
        }
        let (entries, bytes) = match state.entries.get(key) {
            Some(kept) => (state.entries.len(), state.bytes - cost(key, &kept.value, &kept.tags)),
            None => (state.entries.len() + 1, state.bytes),
        };
        if entries > self.bounds.entries || bytes + cost(key, &entry.value, &entry.tags) > self.bounds.bytes {
            return Err(StoreError::Full);
        }
        Ok(Some(state.insert(key, entry, now)))
    }

    async fn delete(&self, key: &str, condition: If) -> Result<bool, StoreError> {
        let mut state = self.swept(Instant::now());
        Ok(state.meets(key, condition) && state.remove(key))
    }

    async fn invalidate(&self, tag: &str) -> Result<usize, StoreError> {
        let mut state = self.swept(Instant::now());
        let keys = state.tags.remove(tag).unwrap_or_default();
        for key in &keys {
            state.remove(key);
        }
        Ok(keys.len())
    }

    async fn lease(&self, name: &str, ttl: Duration) -> Result<Option<Lease>, StoreError> {
        let now = Instant::now();
        let mut state = self.state();
        if state.leases.get(name).is_some_and(|(_, ends)| *ends > now) {
            return Ok(None);
        }
        if state.leases.len() >= self.bounds.entries {
            state.leases.retain(|_, (_, ends)| *ends > now);
            if state.leases.len() >= self.bounds.entries {
                return Err(StoreError::Full);
            }
        }
        let token = state.next_version();
        state.leases.insert(name.to_owned(), (token, ending(now, ttl)));
        let key = name.to_owned();
        Ok(Some(Lease { key, token }))
    }

    async fn renew(&self, lease: &Lease, ttl: Duration) -> Result<bool, StoreError> {
        let now = Instant::now();
        let mut state = self.state();
        let held = state.leases.get_mut(&lease.key);
        let held = held.filter(|(token, ends)| *token == lease.token && *ends > now);
        Ok(held.map(|(_, ends)| *ends = ending(now, ttl)).is_some())
    }

    async fn release(&self, lease: Lease) -> Result<(), StoreError> {
        let mut state = self.state();
        if state.leases.get(&lease.key).is_some_and(|(token, _)| *token == lease.token) {
            state.leases.remove(&lease.key);
        }
        Ok(())
    }

    async fn take(&self, key: &str, rate: Rate) -> Result<Taken, StoreError> {
        let now = Instant::now();
        let mut state = self.state();
        let full = state.rates.get(key).copied().unwrap_or(now);
        let used = full.saturating_duration_since(now).as_nanos().div_ceil(1000);
        let (used, allowed) = rate.take(u64::try_from(used).unwrap_or(u64::MAX));
        if allowed {
            if state.rates.len() >= self.bounds.entries && !state.rates.contains_key(key) {
                state.rates.retain(|_, full| *full > now);
                if state.rates.len() >= self.bounds.entries {
                    return Err(StoreError::Full);
                }
            }
            state.rates.insert(key.to_owned(), now + Duration::from_micros(used));
        }
        Ok(rate.taken(used, allowed))
    }
}
