//! What the clients of one service share: its credentials, its cache, and the sight of all of them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use opentelemetry::metrics::Histogram;
use serde::Serialize;
use store::Invalidations;

use crate::cache::{Cache, CacheState, Replicas};
use crate::upstream::{Inner as UpstreamInner, UpstreamState};
use crate::{CacheSettings, TokenSource};

/// What the clients of one service share. Cheap to clone.
#[derive(Clone)]
pub struct Outbound(Arc<Inner>);

pub(crate) struct Inner {
    tokens: Arc<dyn TokenSource>,
    cache: Cache,
    replicas: Option<Replicas>,
    upstreams: Mutex<Vec<Weak<UpstreamInner>>>,
    durations: OnceLock<Histogram<f64>>,
}

/// How everything behind a service is doing, as seen from it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OutboundState {
    /// The services by name.
    pub upstreams: BTreeMap<&'static str, UpstreamState>,
    /// The answers that are kept.
    pub cache: CacheState,
}

impl Outbound {
    /// Clients that call with these credentials, and keep nothing.
    pub fn new(tokens: Arc<dyn TokenSource>) -> Self {
        Self::over(tokens, Cache::new(0), None)
    }

    /// Clients that call with these credentials, and keep what there is room for. What one replica invalidates the
    /// others hear of through `channel`.
    pub fn keeping(tokens: Arc<dyn TokenSource>, settings: &CacheSettings, channel: Invalidations) -> Self {
        let cache = Cache::new(settings.max_bytes.as_u64());
        let replicas = Replicas::new(cache.clone(), channel);
        Self::over(tokens, cache, Some(replicas))
    }

    fn over(tokens: Arc<dyn TokenSource>, cache: Cache, replicas: Option<Replicas>) -> Self {
        Self(Arc::new(Inner {
            tokens,
            cache,
            replicas,
            upstreams: Mutex::default(),
            durations: OnceLock::new(),
        }))
    }

    /// Hears, from now on, what other replicas invalidate. Needs a runtime; ends with the last clone of this.
    pub fn listen(&self) {
        if let Some(replicas) = &self.0.replicas {
            replicas.listen();
        }
    }

    /// How everything is doing.
    pub fn state(&self) -> OutboundState {
        let living = self.0.living();
        OutboundState {
            upstreams: living.iter().map(|upstream| (upstream.name(), upstream.state())).collect(),
            cache: self.0.cache.state(),
        }
    }

    /// Makes old, in every replica, whatever is kept with one of these tags; `*` is everything.
    pub async fn invalidate(&self, tags: &[String]) {
        self.0.cache.invalidate(tags);
        if let Some(replicas) = &self.0.replicas {
            replicas.tell(tags).await;
        }
    }

    /// The same, for who has only a handle and the tags.
    pub async fn forget(self, tags: Vec<String>) {
        self.invalidate(&tags).await;
    }

    /// Does what the cache would do in its own time, so that its state is exact.
    #[cfg(test)]
    pub(crate) fn settle(&self) {
        self.0.cache.settle();
    }

    /// As if these tags could not be told to the other replicas just now.
    #[cfg(test)]
    pub(crate) fn put_off(&self, tags: &[String]) {
        self.0.replicas.iter().for_each(|replicas| replicas.put_off(tags));
    }

    pub(crate) fn register(&self, upstream: &Arc<UpstreamInner>) {
        let mut upstreams = self.0.upstreams.lock().unwrap_or_else(PoisonError::into_inner);
        upstreams.retain(|upstream| upstream.strong_count() > 0);
        upstreams.push(Arc::downgrade(upstream));
    }

    pub(crate) fn tokens(&self) -> &dyn TokenSource {
        &*self.0.tokens
    }

    pub(crate) fn cache(&self) -> &Cache {
        self.0.cache()
    }

    pub(crate) fn inner(&self) -> &Arc<Inner> {
        &self.0
    }

    /// Where to say how long an exchange took; none as long as nobody observes.
    pub(crate) fn durations(&self) -> Option<&Histogram<f64>> {
        self.0.durations.get()
    }

    pub(crate) fn time_with(&self, durations: impl FnOnce() -> Histogram<f64>) {
        self.0.durations.get_or_init(durations);
    }
}

impl Inner {
    pub(crate) fn cache(&self) -> &Cache {
        &self.cache
    }

    /// The services that somebody can still call.
    pub(crate) fn living(&self) -> Vec<Arc<UpstreamInner>> {
        let upstreams = self.upstreams.lock().unwrap_or_else(PoisonError::into_inner);
        upstreams.iter().filter_map(Weak::upgrade).collect()
    }
}
