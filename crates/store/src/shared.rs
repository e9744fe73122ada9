//! The store that the settings ask for.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::broadcast;

use crate::invalidation::{BACKLOG, Event, Invalidations};
use crate::memory::Used;
use crate::observe::Watch;
use crate::redis::RedisStore;
use crate::settings::Place;
use crate::{
    BadStore, Entry, If, Lease, MemoryStore, Rate, Store, StoreError, StoreSettings, Stored, Taken, Version,
};

/// A handle on the store that the settings ask for. Clones are handles on the same one.
#[derive(Clone, Debug)]
pub struct SharedStore {
    pub(crate) kind: Kind,
    pub(crate) watch: Arc<Watch>,
}

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Memory(Arc<Memory>),
    Redis(Arc<RedisStore>),
}

#[derive(Debug)]
pub(crate) struct Memory {
    store: MemoryStore,
    pub(crate) events: broadcast::Sender<Event>,
}

impl SharedStore {
    /// Opens the store. A Redis is not called before the first use: one that is down does not stop a start.
    pub fn open(settings: &StoreSettings) -> Result<Self, BadStore> {
        if let Some((key, problem)) = settings.out_of_range() {
            return Err(BadStore { key, problem: problem.into() });
        }
        match &settings.url.0 {
            Place::Memory => Ok(Self::in_memory(settings)),
            Place::Redis(servers) => {
                let kind = Kind::Redis(Arc::new(RedisStore::new(settings, servers)?));
                Ok(Self { kind, watch: Watch::new("redis") })
            }
        }
    }

    /// An empty store in this process's memory, with the default bounds.
    pub fn memory() -> Self {
        Self::in_memory(&StoreSettings::default())
    }

    fn in_memory(settings: &StoreSettings) -> Self {
        let store = MemoryStore::new(settings.bounds());
        let kind = Kind::Memory(Arc::new(Memory { store, events: broadcast::Sender::new(BACKLOG) }));
        Self { kind, watch: Watch::new("memory") }
    }

    /// Whether other replicas see what is written.
    pub fn is_shared(&self) -> bool {
        matches!(self.kind, Kind::Redis(_))
    }

    /// The channel on which the replicas that share this store tell each other what is no longer true.
    pub fn invalidations(&self) -> Invalidations {
        Invalidations(self.kind.clone())
    }
}

impl Memory {
    pub(crate) fn used(&self) -> Used {
        self.store.used()
    }
}

impl Store for SharedStore {
    async fn get(&self, key: &str) -> Result<Option<Stored>, StoreError> {
        let timing = self.watch.begin("get");
        timing.ended(match &self.kind {
            Kind::Memory(memory) => memory.store.get(key).await,
            Kind::Redis(redis) => redis.get(key).await,
        })
    }

    async fn put(&self, key: &str, entry: Entry, condition: If) -> Result<Option<Version>, StoreError> {
        let timing = self.watch.begin("put");
        timing.ended(match &self.kind {
            Kind::Memory(memory) => memory.store.put(key, entry, condition).await,
            Kind::Redis(redis) => redis.put(key, entry, condition).await,
        })
    }

    async fn delete(&self, key: &str, condition: If) -> Result<bool, StoreError> {
        let timing = self.watch.begin("delete");
        timing.ended(match &self.kind {
            Kind::Memory(memory) => memory.store.delete(key, condition).await,
            Kind::Redis(redis) => redis.delete(key, condition).await,
        })
    }

    async fn invalidate(&self, tag: &str) -> Result<usize, StoreError> {
        let timing = self.watch.begin("invalidate");
        timing.ended(match &self.kind {
            Kind::Memory(memory) => memory.store.invalidate(tag).await,
            Kind::Redis(redis) => redis.invalidate(tag).await,
        })
    }

    async fn lease(&self, name: &str, ttl: Duration) -> Result<Option<Lease>, StoreError> {
        let timing = self.watch.begin("lease");
        timing.ended(match &self.kind {
            Kind::Memory(memory) => memory.store.lease(name, ttl).await,
            Kind::Redis(redis) => redis.lease(name, ttl).await,
        })
    }

    async fn renew(&self, lease: &Lease, ttl: Duration) -> Result<bool, StoreError> {
        let timing = self.watch.begin("renew");
        timing.ended(match &self.kind {
            Kind::Memory(memory) => memory.store.renew(lease, ttl).await,
            Kind::Redis(redis) => redis.renew(lease, ttl).await,
        })
    }

    async fn release(&self, lease: Lease) -> Result<(), StoreError> {
        let timing = self.watch.begin("release");
        timing.ended(match &self.kind {
            Kind::Memory(memory) => memory.store.release(lease).await,
            Kind::Redis(redis) => redis.release(lease).await,
        })
    }

    async fn take(&self, key: &str, rate: Rate) -> Result<Taken, StoreError> {
        let timing = self.watch.begin("take");
        timing.ended(match &self.kind {
            Kind::Memory(memory) => memory.store.take(key, rate).await,
            Kind::Redis(redis) => redis.take(key, rate).await,
        })
    }
}
