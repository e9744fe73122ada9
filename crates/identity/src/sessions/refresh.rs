//! Fresh tokens for a session: one redemption at a time, whatever happens in however many replicas.
//!
//! A provider that rotates refresh tokens takes each once, and may end the session of who sends one twice. So:
//!
//! 1. Within a replica, all who need the same refresh wait for one run of it, a task that ends with none of
//!    them.
//! 2. Among replicas, one lease says who redeems. It is renewed until the outcome is written.
//! 3. Who has got the lease reads the session again: often its last holder has refreshed it, and that is the
//!    answer.
//! 4. The outcome is written on the version that was redeemed, or on a later one with the same tokens. Whatever
//!    else is found stays: newer tokens are used, and a session that has ended is not brought back.
//! 5. Who has not got the lease reads the session again and again, as long as it can wait.
//!
//! Only a refusal by the provider, to the holder of the lease, ends a session; and only after it has looked
//! whether somebody else's redemption was the reason. A provider that does not answer is asked again later.

mod redemption;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use problem::Cause;
use request_context::RequestContext;
use store::{Store, StoreError};
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::task::TaskTracker;

use super::flights::{Flights, Landing};
use super::issuer::Issuer;
use super::jitter::Jitter;
use super::paces::Paces;
use super::record::Age;
use super::vault::{Opened, Vault};
use crate::observe::Refreshes;
use crate::provider::ProviderError;

pub(crate) use self::redemption::detached;

/// How long a replica that was killed keeps the others from refreshing.
const LEASE: Duration = Duration::from_secs(5);
/// How long a run waits for the lease. Who needs more time begins another.
const WAIT: Duration = Duration::from_secs(15);

/// Refreshes sessions. Cheap to clone.
pub(crate) struct Refresher<S>(Arc<Inner<S>>);

struct Inner<S> {
    vault: Arc<Vault<S>>,
    issuer: Arc<dyn Issuer>,
    flights: Flights<Landed>,
    paces: Paces,
    jitter: Jitter,
    refreshes: Arc<Refreshes>,
    tasks: TaskTracker,
}

/// What came of a refresh.
pub(crate) type Landed = Result<Arc<Opened>, Lost>;

/// Why a session does not serve.
#[derive(Clone, Debug)]
pub(crate) enum Lost {
    /// It has ended.
    Ended,
    /// Nobody knows: the store or the provider does not answer.
    Unavailable(Cause),
}

impl<S: Store + 'static> Refresher<S> {
    pub(crate) fn new(
        vault: Arc<Vault<S>>,
        issuer: Arc<dyn Issuer>,
        jitter: Jitter,
        tasks: TaskTracker,
    ) -> Self {
        let (flights, paces) = (Flights::new(tasks.clone()), Paces::new());
        Self(Arc::new(Inner { vault, issuer, flights, paces, jitter, refreshes: Arc::default(), tasks }))
    }

    pub(crate) fn refreshes(&self) -> &Arc<Refreshes> {
        &self.0.refreshes
    }

    /// The session with a token that is good for a call. One that gets old is replaced behind the request's
    /// back.
    pub(crate) async fn fresh(&self, ctx: &RequestContext, session: Arc<Opened>) -> Landed {
        let age = session.record.age(self.now());
        if age == Age::Young || !session.record.can_be_refreshed() {
            return Ok(session);
        }
        let landing = self.refresh(ctx, &session);
        if age == Age::Old {
            return Ok(session);
        }
        let landed = match landing {
            Some(landing) => timeout_at(ctx.deadline().instant(), landing.result()).await,
            None => Ok(Some(Err(unavailable("it failed a moment ago and is not asked again yet")))),
        };
        match landed {
            Ok(Some(Err(Lost::Unavailable(cause)))) => self.at_hand(session, Lost::Unavailable(cause)),
            Ok(Some(landed)) => landed,
            Ok(None) => self.at_hand(session, unavailable("its answer could not be read")),
            Err(_) => self.at_hand(session, unavailable("its answer did not come in time")),
        }
    }

    /// The token at hand, if it lives for a moment longer.
    fn at_hand(&self, session: Arc<Opened>, lost: Lost) -> Landed {
        if session.record.lives(self.now()) { Ok(session) } else { Err(lost) }
    }

    /// The run that refreshes this session; `None` if the last one failed a moment ago.
    fn refresh(&self, ctx: &RequestContext, session: &Arc<Opened>) -> Option<Landing<Landed>> {
        let key = session.key;
        if !self.0.paces.are_open(key) {
            return self.0.flights.under_way(key);
        }
        Some(self.0.flights.join(key, || self.clone().run(ctx.clone(), Arc::clone(session))))
    }

    async fn run(self, ctx: RequestContext, mut seen: Arc<Opened>) -> Landed {
        let key = seen.key;
        let until = Instant::now() + WAIT;
        loop {
            let lease = self.0.vault.store.lease(&key.lease(), LEASE).await?;
            if let Some(lease) = lease {
                let held = AtomicBool::new(true);
                let redeemed = self.renewing(&lease, &held, self.redeem(&ctx, &seen, &held)).await;
                // It ends by itself if the store does not hear of it.
                let _ = self.0.vault.store.release(lease).await;
                if let Some(landed) = redeemed {
                    return landed;
                }
            }
            if Instant::now() >= until {
                return Err(unavailable("somebody else's refresh takes too long"));
            }
            self.pause().await;
            match self.current(&seen).await? {
                Current::Fresh(fresh) => return Ok(fresh),
                Current::Stale(stale) => seen = stale,
            }
        }
    }

    /// The session as it is now, held against the one that was `seen` to need a refresh.
    async fn current(&self, seen: &Arc<Opened>) -> Result<Current, Lost> {
        let current = self.0.vault.load(seen.key).await?.ok_or(Lost::Ended)?;
        let refreshed = current.record.generation != seen.record.generation;
        let fresh = refreshed && current.record.age(self.now()) != Age::Over;
        Ok(if fresh { Current::Fresh(current) } else { Current::Stale(current) })
    }

    fn now(&self) -> jiff::Timestamp {
        self.0.vault.clock.now()
    }

    /// Between two looks at the store.
    async fn pause(&self) {
        sleep(self.0.jitter.between(Duration::from_millis(50), Duration::from_millis(100))).await;
    }
}

enum Current {
    /// Somebody has refreshed it.
    Fresh(Arc<Opened>),
    /// It is to be refreshed.
    Stale(Arc<Opened>),
}

impl<S> Clone for Refresher<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl From<StoreError> for Lost {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(Arc::new(error))
    }
}

fn unavailable(what: &'static str) -> Lost {
    Lost::Unavailable(Arc::new(ProviderError::new(what)))
}

#[cfg(test)]
mod model;
