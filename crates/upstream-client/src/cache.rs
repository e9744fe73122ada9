//! Answers that are kept, in this process's memory and bounded by bytes.
//!
//! An entry holds the answer already read, so that giving it again costs neither a call nor a decoder. What invalidates
//! it is a tag; the tags that other replicas invalidate come through a channel, if there is one.

mod freshness;
mod invalidation;
mod key;
mod replicas;
mod rule;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use http::HeaderValue;
use serde::Serialize;
use tokio::time::Instant;

pub(crate) use freshness::{Freshness, Stale};
pub(crate) use invalidation::{Moment, Tags};
pub(crate) use key::{Identity, Key, Parts};
pub(crate) use replicas::Replicas;
pub use rule::Cached;

use crate::answer::{Answer, Value};
use invalidation::Invalidated;

/// What keeping an entry costs beside the bytes of its answer, about.
const OVERHEAD: usize = 512;
/// A decoded answer takes about this many times the bytes that came over the wire.
const DECODED: usize = 2;
/// Nothing is of use for longer, whatever a rule says: what nobody asks for any more leaves the memory.
const LONGEST: Duration = Duration::from_hours(24);

/// The answers that the clients of one service keep. Cheap to clone; clones share them.
#[derive(Clone)]
pub struct Cache(Arc<Inner>);

struct Inner {
    entries: moka::sync::Cache<Key, Arc<Entry>>,
    invalidated: Invalidated,
    counts: Counts,
}

/// An answer that is kept.
pub(crate) struct Entry {
    pub(crate) value: Value,
    size: usize,
    tags: Tags,
    /// When it was asked for: what was invalidated later is not in it.
    asked: Moment,
    stored: Instant,
    /// For how long it is fresh, at most what its rule says.
    fresh: Duration,
    /// What the answer itself says of when it is not fresh any more.
    stale: Stale,
    pub(crate) etag: Option<HeaderValue>,
    refreshing: AtomicBool,
}

#[derive(Default)]
struct Counts {
    fresh: AtomicU64,
    stale_while_revalidate: AtomicU64,
    stale_if_error: AtomicU64,
    missed: AtomicU64,
}

/// What a cache holds and how often it helped, since the start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CacheState {
    /// How many answers are kept.
    pub entries: u64,
    /// About how many bytes they take.
    pub bytes: u64,
    /// How many they may take.
    pub max_bytes: u64,
    /// Answers that were given without a call.
    pub fresh: u64,
    /// Answers that were given while a call was made for the next one.
    pub stale_while_revalidate: u64,
    /// Old answers that were given because the service failed.
    pub stale_if_error: u64,
    /// Calls that had to be made.
    pub missed: u64,
}

/// How a kept answer may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// As it is.
    Fresh,
    /// As it is, while it is asked for anew.
    WhileRevalidating,
    /// Only if nothing better can be had.
    IfError,
}

impl Use {
    /// As spans and metrics say it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Fresh => "hit",
            Self::WhileRevalidating => "stale_while_revalidate",
            Self::IfError => "stale_if_error",
        }
    }
}

impl Cache {
    /// An empty cache of at most about `max_bytes`; with none, nothing is ever kept.
    pub fn new(max_bytes: u64) -> Self {
        let entries = moka::sync::Cache::builder()
            .max_capacity(max_bytes)
            .weigher(|key: &Key, entry: &Arc<Entry>| {
                let bytes = OVERHEAD + key.size() + entry.size.saturating_mul(DECODED);
                u32::try_from(bytes).unwrap_or(u32::MAX)
            })
            .time_to_live(LONGEST)
            .build();
        Self(Arc::new(Inner { entries, invalidated: Invalidated::default(), counts: Counts::default() }))
    }

    pub(crate) fn is_on(&self) -> bool {
        self.0.entries.policy().max_capacity() != Some(0)
    }

    /// What is kept under `key`, unless it has been invalidated since.
    pub(crate) fn get(&self, key: &Key) -> Option<Arc<Entry>> {
        let entry = self.0.entries.get(key)?;
        if self.is_outdated(&entry) {
            self.0.entries.invalidate(key);
            return None;
        }
        Some(entry)
    }

    /// Whether it has been invalidated since it was asked for.
    pub(crate) fn is_outdated(&self, entry: &Entry) -> bool {
        self.is_old(entry.asked, &entry.tags)
    }

    /// The present, for what is about to be asked.
    pub(crate) fn now(&self) -> Moment {
        self.0.invalidated.now()
    }

    /// Keeps an answer that was asked for at `asked`, unless something has made it old on its way.
    pub(crate) fn put(&self, key: &Key, rule: &Cached, tags: Tags, asked: Moment, answer: &Answer) {
        let kept = answer.freshness.may_be_kept(rule.is_personal());
        if !kept || self.0.invalidated.since(asked, &tags) {
            self.0.entries.invalidate(key);
            return;
        }
        let entry = Entry {
            value: answer.value.clone(),
            size: answer.size,
            tags,
            asked,
            stored: Instant::now(),
            fresh: answer.freshness.fresh(rule.fresh),
            stale: answer.freshness.stale,
            etag: answer.freshness.etag.clone(),
            refreshing: AtomicBool::new(false),
        };
        self.0.entries.insert(key.clone(), Arc::new(entry));
    }

    /// Whether what was asked for at `asked` and has these tags has been invalidated.
    pub(crate) fn is_old(&self, asked: Moment, tags: &Tags) -> bool {
        self.0.invalidated.since(asked, tags)
    }

    pub(crate) fn forget(&self, key: &Key) {
        self.0.entries.invalidate(key);
    }

    /// In this process, makes old whatever has one of these tags; `*` is everything.
    pub fn invalidate<T: AsRef<str>>(&self, tags: impl IntoIterator<Item = T>) {
        self.0.invalidated.add(tags);
    }

    /// In this process, makes everything old.
    pub fn invalidate_all(&self) {
        self.0.invalidated.add([invalidation::ALL]);
    }

    pub(crate) fn count(&self, used: Option<Use>) {
        let counts = &self.0.counts;
        let counter = match used {
            Some(Use::Fresh) => &counts.fresh,
            Some(Use::WhileRevalidating) => &counts.stale_while_revalidate,
            Some(Use::IfError) => &counts.stale_if_error,
            None => &counts.missed,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    #[cfg(test)]
    pub(crate) fn settle(&self) {
        self.0.entries.run_pending_tasks();
    }

    /// What it holds and how often it helped.
    pub fn state(&self) -> CacheState {
        let (entries, counts) = (&self.0.entries, &self.0.counts);
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        CacheState {
            entries: entries.entry_count(),
            bytes: entries.weighted_size(),
            max_bytes: entries.policy().max_capacity().unwrap_or(u64::MAX),
            fresh: read(&counts.fresh),
            stale_while_revalidate: read(&counts.stale_while_revalidate),
            stale_if_error: read(&counts.stale_if_error),
            missed: read(&counts.missed),
        }
    }
}

impl Entry {
    pub(crate) fn age(&self) -> Duration {
        self.stored.elapsed()
    }

    pub(crate) fn usable(&self, rule: &Cached) -> Use {
        let age = self.age();
        match age.checked_sub(self.fresh) {
            None => Use::Fresh,
            Some(over) if over < rule.stale_while_revalidate && self.stale == Stale::Allowed => {
                Use::WhileRevalidating
            }
            Some(_) => Use::IfError,
        }
    }

    /// Whether it is no older than this, and may be given when it is not fresh and nothing else can be had.
    pub(crate) fn may_be_kept_until(&self, age: Duration) -> bool {
        self.age() <= age && self.stale != Stale::Forbidden
    }

    /// Whether this caller is the one that has to ask anew.
    pub(crate) fn begin_refresh(&self) -> bool {
        !self.refreshing.swap(true, Ordering::AcqRel)
    }

    /// The refresh has failed, or was given up: the next one may try.
    pub(crate) fn end_refresh(&self) {
        self.refreshing.store(false, Ordering::Release);
    }

    /// As it was when it came.
    pub(crate) fn answer(&self) -> Answer {
        Answer { value: self.value.clone(), size: self.size, freshness: Freshness::default() }
    }
}
