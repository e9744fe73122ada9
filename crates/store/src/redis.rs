//! A store in Redis, or in a Redis cluster, that replicas share.
//!
//! Every key belongs to a bucket, by its hash, and the names of all that a bucket needs have one hash tag: they
//! are in one slot, where a script can work on them in one step. One Redis has one bucket. A cluster has
//! [`BUCKETS`], and there [`Store::invalidate`] is the one call that is not one step: it works on bucket after
//! bucket. What was written before it began is gone when it succeeds; when it fails, a part may be.
//!
//! Redis must not evict (`maxmemory-policy noeviction`): when it is full it then says so, as [`MemoryStore`]
//! does, instead of losing what somebody relies on.
//!
//! [`MemoryStore`]: crate::MemoryStore

mod backoff;
mod channel;
mod link;
mod scripts;
mod servers;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::future::try_join_all;
use tokio::sync::broadcast;
use xxhash_rust::xxh3::xxh3_64;

use self::channel::Channel;
#[cfg(fuzzing)]
pub(crate) use self::channel::heard;
use self::link::Link;
use self::scripts::{Run, Scripts};
use self::servers::Connector;
use crate::invalidation::Event;
use crate::memory::LONGEST;
use crate::settings::Servers;
use crate::{BadStore, Entry, If, Lease, Rate, Store, StoreError, StoreSettings, Stored, Taken, Version};

/// The most primaries of a cluster that one prefix spreads over. Changing it loses sight of what is stored.
const BUCKETS: u64 = 16;
/// The largest value. What is larger would hold up all that follows on the connection.
const LARGEST: usize = 4 << 20;

/// A [`Store`] in Redis.
#[derive(Debug)]
pub(crate) struct RedisStore {
    link: Link,
    channel: Channel,
    scripts: Scripts,
    prefix: String,
    buckets: u64,
}

impl RedisStore {
    pub(crate) fn new(settings: &StoreSettings, servers: &Servers) -> Result<Self, BadStore> {
        let connector = Arc::new(Connector::new(settings, servers)?);
        Ok(Self {
            link: Link::new(Arc::clone(&connector), settings.timeout),
            channel: Channel::new(connector, format!("{}:invalidations", settings.prefix)),
            scripts: Scripts::new(),
            prefix: settings.prefix.clone(),
            buckets: if servers.cluster { BUCKETS } else { 1 },
        })
    }

    pub(crate) async fn publish(&self, tags: &[String]) -> Result<(), StoreError> {
        let mut command = redis::cmd("PUBLISH");
        command.arg(self.channel.name()).arg(channel::encode(tags));
        self.link.call::<u64>(&command).await.map(drop)
    }

    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.channel.subscribe()
    }

    pub(crate) fn listen(&self) {
        self.channel.listen();
    }

    /// The bucket of a key or of a lease's name.
    fn bucket(&self, name: &str) -> Bucket<'_> {
        Bucket { prefix: &self.prefix, number: xxh3_64(name.as_bytes()) % self.buckets }
    }
}

/// The names of what is in one slot.
struct Bucket<'a> {
    prefix: &'a str,
    number: u64,
}

impl Bucket<'_> {
    fn name(&self, kind: &str, name: &str) -> String {
        format!("{{{}:{}}}:{kind}:{name}", self.prefix, self.number)
    }

    fn value(&self, key: &str) -> String {
        self.name("value", key)
    }

    fn lease(&self, name: &str) -> String {
        self.name("lease", name)
    }

    fn rate(&self, key: &str) -> String {
        self.name("rate", key)
    }

    /// The index of a tag; that of the empty tag is what all begin with.
    fn index(&self, tag: &str) -> String {
        self.name("tag", tag)
    }

    fn counter(&self) -> String {
        self.name("version", "last")
    }
}

/// In whole milliseconds, and not zero for what is not zero.
fn milliseconds(ttl: Duration) -> u64 {
    u64::try_from(ttl.min(LONGEST).as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

fn condition(condition: If) -> String {
    match condition {
        If::Any => "any".into(),
        If::Absent => "absent".into(),
        If::Version(Version(version)) => version.to_string(),
    }
}

impl Store for RedisStore {
    async fn get(&self, key: &str) -> Result<Option<Stored>, StoreError> {
        let mut command = redis::cmd("HMGET");
        command.arg(self.bucket(key).value(key)).arg("n").arg("v");
        let (version, value): (Option<u64>, Option<Vec<u8>>) = self.link.call(&command).await?;
        let stored = version.zip(value);
        Ok(stored.map(|(version, value)| Stored { value: Bytes::from(value), version: Version(version) }))
    }

    async fn put(&self, key: &str, entry: Entry, only: If) -> Result<Option<Version>, StoreError> {
        if entry.value.len() > LARGEST {
            return Err(StoreError::Full);
        }
        let bucket = self.bucket(key);
        let (value, counter, indexes) = (bucket.value(key), bucket.counter(), bucket.index(""));
        let (keys, only) = ([&*value, &*counter], condition(only));
        let run = self.scripts.put.run(&keys).bytes(&indexes).bytes(&only);
        let run = run.number(milliseconds(entry.ttl)).bytes(&entry.value);
        let run = entry.tags.iter().fold(run, Run::bytes);
        let version: Option<u64> = self.link.run(&run).await?;
        Ok(version.map(Version))
    }

    async fn delete(&self, key: &str, only: If) -> Result<bool, StoreError> {
        let bucket = self.bucket(key);
        let (value, indexes, only) = (bucket.value(key), bucket.index(""), condition(only));
        let keys = [&*value];
        self.link.run(&self.scripts.delete.run(&keys).bytes(&indexes).bytes(&only)).await
    }

    async fn invalidate(&self, tag: &str) -> Result<usize, StoreError> {
        let buckets = (0..self.buckets).map(|number| Bucket { prefix: &self.prefix, number });
        let gone = try_join_all(buckets.map(async |bucket| {
            let (index, indexes) = (bucket.index(tag), bucket.index(""));
            let keys = [&*index];
            self.link.run::<usize>(&self.scripts.invalidate.run(&keys).bytes(&indexes).bytes(tag)).await
        }));
        Ok(gone.await?.into_iter().sum())
    }

    async fn lease(&self, name: &str, ttl: Duration) -> Result<Option<Lease>, StoreError> {
        let bucket = self.bucket(name);
        let (lease, counter) = (bucket.lease(name), bucket.counter());
        let keys = [&*lease, &*counter];
        let token: Option<u64> =
            self.link.run(&self.scripts.lease.run(&keys).number(milliseconds(ttl))).await?;
        Ok(token.map(|token| Lease { key: name.to_owned(), token: Version(token) }))
    }

    async fn renew(&self, lease: &Lease, ttl: Duration) -> Result<bool, StoreError> {
        let name = self.bucket(&lease.key).lease(&lease.key);
        let keys = [&*name];
        self.link.run(&self.scripts.renew.run(&keys).number(lease.token.0).number(milliseconds(ttl))).await
    }

    async fn release(&self, lease: Lease) -> Result<(), StoreError> {
        let name = self.bucket(&lease.key).lease(&lease.key);
        let keys = [&*name];
        self.link.run::<bool>(&self.scripts.release.run(&keys).number(lease.token.0)).await.map(drop)
    }

    /// By the server's clock: those of the replicas need not agree.
    async fn take(&self, key: &str, rate: Rate) -> Result<Taken, StoreError> {
        let name = self.bucket(key).rate(key);
        let keys = [&*name];
        let run = self.scripts.take.run(&keys).number(rate.interval()).number(rate.whole());
        let (allowed, used): (bool, u64) = self.link.run(&run).await?;
        Ok(rate.taken(used, allowed))
    }
}
