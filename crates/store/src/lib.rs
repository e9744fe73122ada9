//! Key-value storage with time to live, versions, tags, leases and rates.
//!
//! [`Store`] is what sessions, caches and idempotency records are kept in. [`SharedStore`] keeps them where the
//! settings say: in this process, or in a Redis that replicas share. Through [`Invalidations`] the caches of
//! all replicas hear what is no longer true.

#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod invalidation;
mod memory;
mod observe;
mod rate;
mod redis;
mod settings;
mod shared;

use std::time::Duration;

use bytes::Bytes;

pub use invalidation::{Event, Invalidations, Subscription};
pub use memory::{Bounds, MemoryStore};
pub use rate::{Rate, Taken};
pub use settings::{BadStore, StoreSettings, StoreUrl};
pub use shared::SharedStore;

/// A value and the version that it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The value.
    pub value: Bytes,
    /// Changes with every write of the key, and never comes back.
    pub version: Version,
}

/// Which write made a value. Later writes of the same key have greater versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub(crate) u64);

/// What a key must hold for a write to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum If {
    /// Anything or nothing.
    Any,
    /// Nothing.
    Absent,
    /// The value that this write made.
    Version(Version),
}

/// A value to write, with how long it lives and the tags by which it can be invalidated.
#[derive(Clone, Debug)]
pub struct Entry {
    pub(crate) value: Bytes,
    pub(crate) ttl: Duration,
    pub(crate) tags: Vec<String>,
}

impl Entry {
    /// `value`, for `ttl`.
    pub fn new(value: impl Into<Bytes>, ttl: Duration) -> Self {
        Self { value: value.into(), ttl, tags: vec![] }
    }

    /// The same, found by one tag more.
    #[must_use]
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.tags.push(tag.into());
        self
    }
}

/// The right to be the only one that does something, until it ends or is released.
///
/// Who holds a lease may lose it without noticing, by pausing for longer than its time to live. What it then
/// writes is refused by whoever compares [`fence`](Self::fence): a later holder's is greater.
#[derive(Debug, PartialEq, Eq)]
pub struct Lease {
    pub(crate) key: String,
    pub(crate) token: Version,
}

impl Lease {
    /// The fencing token.
    pub fn fence(&self) -> Version {
        self.token
    }
}

/// Why a store did not answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The store cannot be reached, or did not answer in time. Whether a write happened is unknown.
    #[error("the store is unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// There is no room, or the value is larger than any may be: nothing that still lives is ever given up for something new, because a session or
    /// an idempotency record that silently disappears is worse than a write that visibly fails.
    #[error("the store is full")]
    Full,
}

/// Key-value storage. Each call is atomic.
pub trait Store: Send + Sync {
    /// The value of a key that has not ended.
    fn get(&self, key: &str) -> impl Future<Output = Result<Option<Stored>, StoreError>> + Send;

    /// Writes, if the key holds what `condition` wants; `None` says that it does not.
    fn put(
        &self,
        key: &str,
        entry: Entry,
        condition: If,
    ) -> impl Future<Output = Result<Option<Version>, StoreError>> + Send;

    /// Deletes, if the key holds what `condition` wants. Says whether there was something to delete.
    fn delete(&self, key: &str, condition: If) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Deletes everything that was written with this tag. Says how much that was. In a cluster this is not one
    /// step, and no more than this holds: what was written before the call is gone when it has succeeded.
    fn invalidate(&self, tag: &str) -> impl Future<Output = Result<usize, StoreError>> + Send;

    /// Takes the lease of this name for `ttl`; `None` if somebody holds it. Names of leases are no keys.
    fn lease(
        &self,
        name: &str,
        ttl: Duration,
    ) -> impl Future<Output = Result<Option<Lease>, StoreError>> + Send;

    /// Keeps a lease for `ttl` from now on. Says whether it was still held: if not, it is lost.
    fn renew(&self, lease: &Lease, ttl: Duration) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Gives a lease back. One that was lost stays with whoever has it now.
    fn release(&self, lease: Lease) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Takes one of what this key may take at this rate. Keys of rates are keys of nothing else.
    fn take(&self, key: &str, rate: Rate) -> impl Future<Output = Result<Taken, StoreError>> + Send;
}

#[cfg(test)]
mod tests;
