//! What every attempt of a call has in common.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use opentelemetry::trace::{SpanContext, SpanId};
use request_context::RequestContext;
use url::Url;

use crate::answer::Contract;
use crate::cache::{Cached, Identity, Key, Moment, Parts, Tags};
use crate::track::Track;
use crate::{Credential, Operation, Upstream};

/// A call as it was put together.
pub(crate) struct Facts {
    pub(crate) ctx: RequestContext,
    pub(crate) operation: &'static Operation,
    pub(crate) upstream: Upstream,
    /// How the operation is doing.
    pub(crate) track: Arc<Track>,
    pub(crate) contract: Contract,
    /// What it shares its answer under, if it may.
    pub(crate) key: Option<Key>,
    pub(crate) url: Url,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Bytes,
    /// The longest this call may take, whatever the request has left.
    pub(crate) timeout: Duration,
    pub(crate) max_body: usize,
    /// The span of the latest attempt, zero before the first: for those who wait for it without making one.
    pub(crate) attempt: AtomicU64,
}

impl Facts {
    /// The key of a read; `url` is the whole of it. None for what must not be shared.
    pub(crate) fn identity(&self, url: String) -> Option<Key> {
        let caller = match self.operation.credential {
            Credential::Caller => Some(Identity::of(self.ctx.caller()?)),
            Credential::Service | Credential::Nobody => None,
        };
        self.operation.is_read().then(|| {
            Key::new(Parts {
                audience: self.upstream.name(),
                operation: self.operation.name,
                contract: self.contract.of,
                url,
                headers: self.headers.clone(),
                caller,
            })
        })
    }

    /// Says that an attempt with this span has begun.
    pub(crate) fn attempted(&self, span: SpanId) {
        self.attempt.store(u64::from_be_bytes(span.to_bytes()), Ordering::Relaxed);
    }

    /// The latest attempt, as others name it.
    pub(crate) fn attempt(&self) -> Option<SpanContext> {
        let span = SpanId::from(self.attempt.load(Ordering::Relaxed));
        (span != SpanId::INVALID).then(|| self.ctx.trace().context_of(span))
    }

    /// The rule and the key under which the answer is kept, if it is.
    pub(crate) fn kept(&self) -> Option<(&Cached, &Key)> {
        let rule = self.operation.cached.as_ref().filter(|_| self.upstream.cache().is_on())?;
        Some((rule, self.key.as_ref()?))
    }

    /// Whether an answer that was asked for at `asked` has been invalidated.
    pub(crate) fn is_old(&self, asked: Moment) -> bool {
        let rule = self.operation.cached.as_ref();
        rule.is_some_and(|rule| self.upstream.cache().is_old(asked, &Tags::of(rule.tags, &self.ctx)))
    }
}
