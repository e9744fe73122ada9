//! An issuer's keys: kept, refreshed behind requests, and never asked for more than twice a minute.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use jsonwebtoken::Algorithm;
use request_context::{Deadline, RequestContext, RequestId, Trace};
use tokio::time::timeout_at;

use crate::flight::{Flight, Landing};
use crate::issuer::Issuer;
use crate::key_set::{Key, KeySet, Lookup};
use crate::log::in_request;
use crate::pace::Pace;
use crate::provider::ProviderError;

/// Keys that came no longer ago than this are what the provider would answer now: it announces a key before
/// it signs with it.
const FRESH: Duration = Duration::from_secs(2);

/// Cheap to clone; clones share the keys.
#[derive(Clone)]
pub(crate) struct Keys(Arc<Inner>);

struct Inner {
    issuer: Arc<Issuer>,
    algorithms: Vec<Algorithm>,
    max_age: Duration,
    stale_for: Duration,
    current: ArcSwapOption<KeySet>,
    pace: Mutex<Pace>,
    flight: Flight<Refreshed>,
}

type Refreshed = Result<(), Arc<ProviderError>>;

/// Why there is no key to verify with.
#[derive(Debug)]
pub(crate) enum NoKey {
    /// The provider has no such key, or has it no more.
    Unknown,
    /// The key signs with another algorithm.
    OtherAlgorithm,
    /// The provider cannot or must not be asked, so that nobody knows.
    Unavailable(Arc<ProviderError>),
}

impl Keys {
    pub(crate) fn new(issuer: Arc<Issuer>, algorithms: Vec<Algorithm>) -> Self {
        let settings = issuer.settings();
        let (max_age, stale_for) = (settings.keys_max_age, settings.keys_stale_for);
        Self(Arc::new(Inner {
            issuer,
            algorithms,
            max_age,
            stale_for: stale_for.max(max_age),
            current: ArcSwapOption::empty(),
            pace: Mutex::default(),
            flight: Flight::default(),
        }))
    }

    /// Which keys are in use; `None` if there are none. Has them refreshed in the background when they are
    /// old.
    pub(crate) fn generation(&self, ctx: &RequestContext) -> Option<u64> {
        let current = self.0.current.load();
        self.usable(ctx, current.as_ref()).map(|set| set.generation)
    }

    /// The key `id`, if it may verify `algorithm`. An unknown one is asked for, within the budget.
    pub(crate) async fn find(
        &self,
        ctx: &RequestContext,
        id: &str,
        algorithm: Algorithm,
    ) -> Result<Arc<Key>, NoKey> {
        let seen = self.0.current.load_full();
        if let Some(set) = self.usable(ctx, seen.as_ref()) {
            match set.find(id, algorithm) {
                Lookup::Found(key) => return Ok(key),
                Lookup::OtherAlgorithm => return Err(NoKey::OtherAlgorithm),
                Lookup::Withdrawn | Lookup::Unknown => {}
            }
        }
        let refreshed = self.refreshed(ctx, seen.as_ref()).await;
        let current = self.0.current.load_full();
        match self.usable(ctx, current.as_ref()).map(|set| set.find(id, algorithm)) {
            Some(Lookup::Found(key)) => Ok(key),
            Some(Lookup::OtherAlgorithm) => Err(NoKey::OtherAlgorithm),
            Some(Lookup::Withdrawn) => Err(NoKey::Unknown),
            Some(Lookup::Unknown) => Err(refreshed.map_or_else(NoKey::Unavailable, |()| NoKey::Unknown)),
            None => Err(NoKey::Unavailable(refreshed.err().unwrap_or_else(waiting))),
        }
    }

    /// Fetches the keys in the background, so that the first request finds them.
    pub(crate) fn warm(&self) {
        // Fetching has a deadline of its own: this one is for whoever waits, and nobody does.
        let deadline = Deadline::after(Duration::ZERO);
        self.refresh(&RequestContext::new(RequestId::generate(), Trace::start(), deadline), None);
    }

    fn usable<'a>(&self, ctx: &RequestContext, current: Option<&'a Arc<KeySet>>) -> Option<&'a KeySet> {
        let set = current?;
        let age = set.fetched.elapsed();
        if age >= self.0.max_age {
            self.refresh(ctx, current);
        }
        (age < self.0.stale_for).then_some(set)
    }

    /// Waits for newer keys than those `seen`, no longer than the request can. An error says that the
    /// provider could or must not be asked, and that the keys at hand are too old to speak for it.
    async fn refreshed(&self, ctx: &RequestContext, seen: Option<&Arc<KeySet>>) -> Refreshed {
        let Some(landing) = self.refresh(ctx, seen) else {
            return if self.is_fresh() { Ok(()) } else { Err(waiting()) };
        };
        match timeout_at(ctx.deadline().instant(), landing.result()).await {
            Ok(Some(result)) => result,
            Ok(None) => Err(Arc::new(ProviderError::new("its keys could not be read"))),
            Err(_) => Err(Arc::new(ProviderError::new("its keys did not come in time"))),
        }
    }

    /// The refresh that is under way; or a new one, unless one has ended since the caller looked or it is too
    /// early.
    fn refresh(&self, ctx: &RequestContext, seen: Option<&Arc<KeySet>>) -> Option<Landing<Refreshed>> {
        self.0.flight.join(|| {
            let mut pace = self.pace();
            (self.is_current(seen) && self.may_ask(&pace)).then(|| {
                pace.begin();
                self.clone().fetch(ctx.clone())
            })
        })
    }

    /// Twice a minute at most. Without any key nothing can be served, and waiting for a minute would prolong
    /// the outage: then only failures hold us back, each longer than the one before.
    fn may_ask(&self, pace: &Pace) -> bool {
        let current = self.0.current.load();
        let starving = current.as_ref().is_none_or(|set| set.fetched.elapsed() >= self.0.stale_for);
        if starving { pace.has_backed_off() } else { pace.is_within_budget() }
    }

    fn is_current(&self, seen: Option<&Arc<KeySet>>) -> bool {
        let current = self.0.current.load();
        seen.map(Arc::as_ptr) == current.as_ref().map(Arc::as_ptr)
    }

    fn is_fresh(&self) -> bool {
        let current = self.0.current.load();
        current.as_ref().is_some_and(|set| set.fetched.elapsed() < FRESH) && !self.pace().is_failing()
    }

    async fn fetch(self, ctx: RequestContext) -> Refreshed {
        let result = self.fetch_once(&ctx).await;
        self.pace().end(result.is_ok());
        if let Err(error) = &result {
            in_request!(warn, ctx, %error, cause = error.cause(), "identity provider's keys not refreshed");
        }
        result.map_err(Arc::new)
    }

    async fn fetch_once(&self, ctx: &RequestContext) -> Result<(), ProviderError> {
        let answer = self.0.issuer.fetch_keys(ctx).await?;
        let previous = self.0.current.load_full();
        let set = KeySet::new(answer.keys, &self.0.algorithms, previous.as_deref())
            .ok_or_else(|| ProviderError::new("none of its keys can be used"))?;
        self.0.current.store(Some(Arc::new(set)));
        Ok(())
    }

    fn pace(&self) -> MutexGuard<'_, Pace> {
        self.0.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn waiting() -> Arc<ProviderError> {
    Arc::new(ProviderError::new("it was asked too recently to be asked again"))
}
