//! A store that can be out of order.

use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use store::{Bounds, Entry, If, Lease, MemoryStore, Rate, Store, StoreError, Stored, Taken, Version};

/// What is wrong with a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Down,
    Full,
    Hangs,
    /// What is read is no record.
    Garbage,
}

/// A store in memory, shared by its clones as one Redis is by replicas.
#[derive(Clone)]
pub(crate) struct FaultyStore {
    memory: Arc<MemoryStore>,
    fault: Arc<Mutex<Option<Fault>>>,
}

impl FaultyStore {
    pub(crate) fn new() -> Self {
        let bounds = Bounds { entries: 1000, bytes: 16 << 20 };
        Self { memory: Arc::new(MemoryStore::new(bounds)), fault: Arc::default() }
    }

    /// From now on it is so.
    pub(crate) fn is(&self, fault: impl Into<Option<Fault>>) {
        *self.fault.lock().unwrap() = fault.into();
    }

    async fn suffer(&self) -> Result<(), StoreError> {
        let fault = *self.fault.lock().unwrap();
        match fault {
            Some(Fault::Down) => {
                Err(StoreError::Unavailable(Box::new(std::io::Error::other("connection refused"))))
            }
            Some(Fault::Full) => Err(StoreError::Full),
            Some(Fault::Hangs) => pending().await,
            None | Some(Fault::Garbage) => Ok(()),
        }
    }
}

impl Store for FaultyStore {
    async fn get(&self, key: &str) -> Result<Option<Stored>, StoreError> {
        self.suffer().await?;
        let mut stored = self.memory.get(key).await?;
        if let (Some(Fault::Garbage), Some(stored)) = (*self.fault.lock().unwrap(), &mut stored) {
            stored.value = "{}\n".into();
        }
        Ok(stored)
    }

    async fn put(&self, key: &str, entry: Entry, condition: If) -> Result<Option<Version>, StoreError> {
        self.suffer().await?;
        self.memory.put(key, entry, condition).await
    }

    async fn delete(&self, key: &str, condition: If) -> Result<bool, StoreError> {
        self.suffer().await?;
        self.memory.delete(key, condition).await
    }

    async fn invalidate(&self, tag: &str) -> Result<usize, StoreError> {
        self.memory.invalidate(tag).await
    }

    async fn lease(&self, name: &str, ttl: Duration) -> Result<Option<Lease>, StoreError> {
        self.memory.lease(name, ttl).await
    }

    async fn renew(&self, lease: &Lease, ttl: Duration) -> Result<bool, StoreError> {
        self.memory.renew(lease, ttl).await
    }

    async fn release(&self, lease: Lease) -> Result<(), StoreError> {
        self.memory.release(lease).await
    }

    async fn take(&self, key: &str, rate: Rate) -> Result<Taken, StoreError> {
        self.suffer().await?;
        self.memory.take(key, rate).await
    }
}
