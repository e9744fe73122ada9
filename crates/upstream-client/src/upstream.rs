//! A domain service that can be called.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use request_context::RequestContext;
use serde::Serialize;

use crate::answer::Reply;
use crate::breaker::Breaker;
use crate::budget::{Budget, BudgetState};
use crate::cache::Cache;
use crate::labels::Labels;
use crate::layers::Next;
use crate::layers::coalesce::Flights;
use crate::limiter::{Limiter, LimiterState};
use crate::stack::{self, Stack, Streams};
use crate::track::{OperationState, Track};
use crate::transport::Transport;
use crate::{BadUpstream, CallBuilder, Operation, Outbound, TokenSource, UpstreamSettings};

/// A domain service that can be called. Cheap to clone; clones share connections, limits and what is known of it.
#[derive(Clone)]
pub struct Upstream(Arc<Inner>);

pub(crate) struct Inner {
    name: &'static str,
    /// The URL in the settings, without a slash at its end.
    base: String,
    settings: UpstreamSettings,
    outbound: Outbound,
    stack: Stack,
    streams: Streams,
    budget: Budget,
    limiter: Arc<Limiter>,
    flights: Flights,
    tracks: RwLock<HashMap<&'static str, Arc<Track>>>,
}

/// How a service is doing, as seen from here.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UpstreamState {
    /// What it can take at once.
    pub concurrency: LimiterState,
    /// What is left for second attempts.
    pub budget: BudgetState,
    /// Its operations by name, those that were called.
    pub operations: BTreeMap<&'static str, OperationState>,
}

impl Upstream {
    /// The client of the service `name`, which is also the audience its tokens are asked for.
    pub fn new(
        name: &'static str,
        settings: &UpstreamSettings,
        outbound: &Outbound,
    ) -> Result<Self, BadUpstream> {
        Ok(Self::over(Transport::new(name, settings)?, name, settings, outbound))
    }

    /// The same, over any transport.
    pub(crate) fn over(
        transport: impl Next<Reply>,
        name: &'static str,
        settings: &UpstreamSettings,
        outbound: &Outbound,
    ) -> Self {
        let inner = Inner {
            name,
            base: settings.url.as_str().trim_end_matches('/').to_owned(),
            stack: stack::build(transport.clone()),
            streams: stack::streams(transport),
            settings: settings.clone(),
            outbound: outbound.clone(),
            budget: Budget::new(),
            limiter: Limiter::new(settings.limiter()),
            flights: Flights::default(),
            tracks: RwLock::default(),
        };
        let upstream = Self(Arc::new(inner));
        outbound.register(&upstream.0);
        upstream
    }

    /// Begins one call on behalf of the request `ctx`.
    pub fn call<'a>(&'a self, ctx: &'a RequestContext, operation: &'static Operation) -> CallBuilder<'a> {
        CallBuilder::new(self, ctx, operation)
    }

    /// The name of the service, as in logs and settings.
    pub fn name(&self) -> &'static str {
        self.0.name
    }

    pub(crate) fn base(&self) -> &str {
        &self.0.base
    }

    pub(crate) fn settings(&self) -> &UpstreamSettings {
        &self.0.settings
    }

    pub(crate) fn outbound(&self) -> &Outbound {
        &self.0.outbound
    }

    pub(crate) fn tokens(&self) -> &dyn TokenSource {
        self.0.outbound.tokens()
    }

    pub(crate) fn cache(&self) -> &Cache {
        self.0.outbound.cache()
    }

    pub(crate) fn stack(&self) -> Stack {
        self.0.stack.clone()
    }

    pub(crate) fn streams(&self) -> Streams {
        self.0.streams.clone()
    }

    pub(crate) fn budget(&self) -> &Budget {
        &self.0.budget
    }

    pub(crate) fn limiter(&self) -> &Arc<Limiter> {
        &self.0.limiter
    }

    pub(crate) fn flights(&self) -> &Flights {
        &self.0.flights
    }

    /// How `operation` is doing, from its first call on.
    pub(crate) fn track(&self, operation: &'static Operation) -> Arc<Track> {
        let tracks = self.0.tracks.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(track) = tracks.get(operation.name) {
            return track.clone();
        }
        drop(tracks);
        let new = || {
            let labels = Labels::new(self.0.name, operation, &self.0.settings.url);
            Arc::new(Track::new(labels, Breaker::new(self.0.settings.breaker)))
        };
        let mut tracks = self.0.tracks.write().unwrap_or_else(PoisonError::into_inner);
        tracks.entry(operation.name).or_insert_with(new).clone()
    }
}

impl Inner {
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) fn limiter(&self) -> &Limiter {
        &self.limiter
    }

    pub(crate) fn budget(&self) -> &Budget {
        &self.budget
    }

    /// How each of its operations is doing, those that were called.
    pub(crate) fn tracks(&self) -> Vec<Arc<Track>> {
        self.tracks.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    pub(crate) fn state(&self) -> UpstreamState {
        let tracks = self.tracks.read().unwrap_or_else(PoisonError::into_inner);
        UpstreamState {
            concurrency: self.limiter.state(),
            budget: self.budget.state(),
            operations: tracks.iter().map(|(name, track)| (*name, track.state())).collect(),
        }
    }
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Upstream").field(&self.0.name).finish()
    }
}
