//! Stores for the tests that all of them must pass, each with its time.

use std::sync::Arc;

use ::redis::aio::MultiplexedConnection;
use test_support::RedisServer;

use super::*;

/// A store whose time passes when it is told to, by hours: what a test takes does not matter.
pub(super) trait Ground {
    fn store(&self) -> &impl Store;

    async fn pass(&self, hours: u64);

    /// What is kept without being of use, but for a counter that is always there.
    async fn rest(&self) -> Vec<String>;
}

/// Needs a runtime whose time is paused.
pub(super) struct InMemory(pub(super) MemoryStore);

impl InMemory {
    pub(super) fn new() -> Self {
        Self(MemoryStore::new(Bounds { entries: 100, bytes: 1 << 20 }))
    }
}

impl Ground for InMemory {
    fn store(&self) -> &impl Store {
        &self.0
    }

    async fn pass(&self, passed: u64) {
        tokio::time::advance(hours(passed)).await;
    }

    async fn rest(&self) -> Vec<String> {
        (!self.0.is_empty()).then(|| format!("{:?}", self.0)).into_iter().collect()
    }
}

/// A store in a Redis of its own.
pub(super) struct InRedis {
    pub(super) store: SharedStore,
    pub(super) server: RedisServer,
    pub(super) raw: MultiplexedConnection,
}

/// Brings all ends nearer.
const PASS: &str = "
    for _, key in ipairs(redis.call('KEYS', '*')) do
      local ttl = redis.call('PTTL', key)
      if ttl >= 0 then redis.call('PEXPIRE', key, ttl - ARGV[1]) end
      if string.find(key, ':rate:', 1, true) and redis.call('EXISTS', key) == 1 then
        local moment = redis.call('GET', key) - ARGV[1] * 1000
        redis.call('SET', key, string.format('%.0f', moment), 'KEEPTTL')
      end
      if redis.call('TYPE', key).ok == 'zset' then
        for _, member in ipairs(redis.call('ZRANGE', key, 0, -1)) do
          redis.call('ZINCRBY', key, -ARGV[1], member)
        end
      end
    end";

/// Sweeps out of the indexes what has ended, which the next write with the tag would do.
const SWEEP: &str = "
    local time = redis.call('TIME')
    local now = time[1] * 1000 + math.floor(time[2] / 1000)
    for _, key in ipairs(redis.call('KEYS', '*:tag:*')) do
      redis.call('ZREMRANGEBYSCORE', key, '-inf', now)
    end";

impl InRedis {
    pub(super) async fn new(server: RedisServer) -> Self {
        let store = SharedStore::open(&settings(&server)).unwrap();
        let client = ::redis::Client::open(server.url().replace("+cluster", "")).unwrap();
        let raw = client.get_multiplexed_async_connection().await.unwrap();
        Self { store, server, raw }
    }

    pub(super) async fn start() -> Self {
        Self::new(RedisServer::start().await).await
    }

    async fn eval(&self, script: &str, argument: u64) {
        let mut eval = ::redis::cmd("EVAL");
        eval.arg(script).arg(0).arg(argument).exec_async(&mut self.raw.clone()).await.unwrap();
    }

    /// Every key that is in Redis.
    async fn keys(&self) -> Vec<String> {
        ::redis::cmd("KEYS").arg("*").query_async(&mut self.raw.clone()).await.unwrap()
    }
}

impl Ground for InRedis {
    fn store(&self) -> &impl Store {
        &self.store
    }

    async fn pass(&self, passed: u64) {
        self.eval(PASS, passed * 3_600_000).await;
    }

    async fn rest(&self) -> Vec<String> {
        self.eval(SWEEP, 0).await;
        self.keys().await.into_iter().filter(|key| !key.ends_with(":version:last")).collect()
    }
}

/// Patient settings for a server: the tests share the machine.
pub(super) fn settings(server: &RedisServer) -> StoreSettings {
    let timeout = Duration::from_secs(5);
    StoreSettings { timeout, ..StoreSettings::at(server.url().parse().unwrap()) }
}

/// The text of the error that made the store unavailable.
pub(super) fn reason<T: std::fmt::Debug>(outcome: Result<T, StoreError>) -> Arc<str> {
    match outcome {
        Err(StoreError::Unavailable(source)) => source.to_string().into(),
        outcome => panic!("not unavailable: {outcome:?}"),
    }
}
