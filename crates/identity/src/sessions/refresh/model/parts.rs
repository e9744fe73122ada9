//! What a replica has of the world: a way to the store and one to the provider, each with its troubles.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::BoxFuture;
use request_context::{RequestContext, Subject};
use secrecy::SecretString;
use store::{Entry, If, Lease, MemoryStore, Rate, Store, StoreError, Stored, Taken, Version};
use tokio::time::{Instant, sleep, sleep_until};

use super::world::Troubles;
use crate::oidc::{LogoutToken, LogoutTokenError, RefreshError, TokenSet};
use crate::provider::ProviderError;
use crate::seal::Keyring;
use crate::sessions::fake::{FakeIssuer, REALM};
use crate::sessions::issuer::Issuer;
use crate::sessions::jitter::Jitter;
use crate::sessions::record::Record;

/// One replica, as what goes wrong with it sees it.
pub(super) struct Fate {
    pub(super) chance: Arc<Jitter>,
    pub(super) troubles: Troubles,
    /// Nothing goes wrong any more.
    pub(super) well: Arc<AtomicBool>,
    pub(super) killed: AtomicBool,
    /// Until then it does nothing, as in a long pause of its machine.
    pub(super) stalled: Mutex<Instant>,
}

impl Fate {
    /// Between any two steps: time passes, and a replica that was killed never takes the next one.
    pub(super) async fn step(&self) {
        let long = self.one_in(20);
        let most = Duration::from_millis(if long { 200 } else { 3 });
        sleep(self.chance.between(Duration::ZERO, most)).await;
        loop {
            if self.killed.load(Ordering::Relaxed) {
                std::future::pending::<()>().await;
            }
            let until = *self.stalled.lock().unwrap();
            if until <= Instant::now() {
                return;
            }
            sleep_until(until).await;
        }
    }

    pub(super) fn one_in(&self, times: u64) -> bool {
        self.chance.next().is_multiple_of(times)
    }

    fn trouble(&self, kind: bool, one_in: u64) -> bool {
        kind && !self.well.load(Ordering::Relaxed) && self.one_in(one_in)
    }

    fn kill(&self) {
        self.killed.store(true, Ordering::Relaxed);
    }

    fn stall(&self) {
        let time = self.chance.between(Duration::from_secs(4), Duration::from_secs(9));
        *self.stalled.lock().unwrap() = Instant::now() + time;
    }
}

/// The store that all replicas share, and what it has had.
pub(super) struct Shared {
    pub(super) store: MemoryStore,
    pub(super) keyring: Keyring,
    /// Generation, and number of the tokens.
    pub(super) newest: Mutex<(u64, u64)>,
    /// Who took a lease of this name last, until it is released.
    pub(super) holders: Mutex<HashMap<String, Version>>,
    /// What no write may do and one did. A panic would end its task and nothing else.
    pub(super) broken: Mutex<Option<String>>,
    /// Whether a lease was taken from who had not released it.
    pub(super) lost_a_lease: AtomicBool,
}

impl Shared {
    /// No write may put older tokens in the place of newer ones.
    fn check(&self, key: &str, value: &[u8]) {
        let Some(json) = self.keyring.open(key, value) else {
            return;
        };
        let record = Record::read(&json, REALM).unwrap();
        let token = record.caller().unwrap().token;
        let number = token.expose().strip_prefix("a-").unwrap().parse().unwrap();
        let mut newest = self.newest.lock().unwrap();
        let written = (record.generation, number);
        let same = written == *newest;
        let newer = written.0 == newest.0 + 1 && written.1 > newest.1;
        if !same && !newer {
            *self.broken.lock().unwrap() = Some(format!("{written:?} was written over {newest:?}"));
        }
        *newest = written;
    }
}

/// A replica's way to the store.
pub(super) struct Way {
    pub(super) shared: Arc<Shared>,
    pub(super) fate: Arc<Fate>,
}

impl Way {
    /// A call: it can fail before it has happened, or after.
    async fn call<T>(&self, work: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        self.fate.step().await;
        if self.fate.trouble(self.fate.troubles.store, 20) {
            return Err(down());
        }
        let result = work.await;
        self.fate.step().await;
        if self.fate.trouble(self.fate.troubles.store, 20) { Err(down()) } else { result }
    }
}

fn down() -> StoreError {
    StoreError::Unavailable("it is down".into())
}

impl Store for Way {
    async fn get(&self, key: &str) -> Result<Option<Stored>, StoreError> {
        self.call(self.shared.store.get(key)).await
    }

    async fn put(&self, key: &str, entry: Entry, condition: If) -> Result<Option<Version>, StoreError> {
        let put = async {
            let version = self.shared.store.put(key, entry, condition).await?;
            if version.is_some() {
                let stored = self.shared.store.get(key).await?.expect("it was written just now");
                self.shared.check(key, &stored.value);
            }
            Ok(version)
        };
        self.call(put).await
    }

    async fn delete(&self, key: &str, condition: If) -> Result<bool, StoreError> {
        self.call(self.shared.store.delete(key, condition)).await
    }

    async fn invalidate(&self, tag: &str) -> Result<usize, StoreError> {
        self.call(self.shared.store.invalidate(tag)).await
    }

    async fn take(&self, key: &str, rate: Rate) -> Result<Taken, StoreError> {
        self.call(self.shared.store.take(key, rate)).await
    }

    async fn lease(&self, name: &str, ttl: Duration) -> Result<Option<Lease>, StoreError> {
        let lease = async {
            let lease = self.shared.store.lease(name, ttl).await?;
            if let Some(lease) = &lease {
                let unreleased = self.shared.holders.lock().unwrap().insert(name.to_owned(), lease.fence());
                self.shared.lost_a_lease.fetch_or(unreleased.is_some(), Ordering::Relaxed);
            }
            Ok(lease)
        };
        self.call(lease).await
    }

    async fn renew(&self, lease: &Lease, ttl: Duration) -> Result<bool, StoreError> {
        self.call(self.shared.store.renew(lease, ttl)).await
    }

    async fn release(&self, lease: Lease) -> Result<(), StoreError> {
        let release = async {
            self.shared.holders.lock().unwrap().retain(|_, holder| *holder != lease.fence());
            self.shared.store.release(lease).await
        };
        self.call(release).await
    }
}

/// A replica's line to the provider.
pub(super) struct Line {
    pub(super) provider: Arc<FakeIssuer>,
    pub(super) fate: Arc<Fate>,
}

impl Line {
    async fn redeem(&self, refresh_token: &SecretString) -> Result<TokenSet, RefreshError> {
        let fate = &self.fate;
        let unavailable = |what| Err(RefreshError::Unavailable(Arc::new(ProviderError::new(what))));
        fate.step().await;
        if fate.trouble(fate.troubles.provider, 3) {
            return unavailable("it is down");
        }
        let answer = self.provider.redeem(refresh_token);
        if fate.trouble(fate.troubles.kill, 3) {
            fate.kill();
        }
        if fate.trouble(fate.troubles.stall, 3) {
            fate.stall();
        }
        if fate.trouble(fate.troubles.slow, 3) {
            // Longer than a lease that nobody renews.
            sleep(fate.chance.between(Duration::from_secs(1), Duration::from_secs(9))).await;
        }
        fate.step().await;
        if fate.trouble(fate.troubles.lost_answers, 3) { unavailable("its answer was lost") } else { answer }
    }
}

impl Issuer for Line {
    fn refresh<'a>(
        &'a self,
        _: &'a RequestContext,
        refresh_token: &'a SecretString,
        _: &'a Subject,
    ) -> BoxFuture<'a, Result<TokenSet, RefreshError>> {
        Box::pin(self.redeem(refresh_token))
    }

    fn revoke<'a>(&'a self, ctx: &'a RequestContext, refresh_token: &'a SecretString) -> BoxFuture<'a, ()> {
        self.provider.revoke(ctx, refresh_token)
    }

    fn end_session_url<'a>(&'a self, ctx: &'a RequestContext, to: &'a str) -> BoxFuture<'a, Option<String>> {
        self.provider.end_session_url(ctx, to)
    }

    fn verify_logout_token<'a>(
        &'a self,
        ctx: &'a RequestContext,
        token: &'a str,
    ) -> BoxFuture<'a, Result<LogoutToken, LogoutTokenError>> {
        self.provider.verify_logout_token(ctx, token)
    }
}
