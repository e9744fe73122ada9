//! How one operation of a service is doing.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

use crate::breaker::{Breaker, BreakerState};
use crate::labels::Labels;
use crate::latency::{Latency, LatencyState};
use crate::outcome::Outcome;

/// So many fields are counted apart; a hostile answer could invent any number.
const MOST_FIELDS: usize = 100;
/// Where the fields beyond are counted.
const OTHER_FIELDS: &str = "(other)";

/// What is known of an operation: whether it is asked, how long it takes, what happened to its calls.
pub(crate) struct Track {
    labels: Labels,
    breaker: Arc<Breaker>,
    latency: Latency,
    counts: Counts,
    /// Calls by what became of them.
    outcomes: [AtomicU64; Outcome::ALL.len()],
    /// Contract violations by field.
    violations: Mutex<BTreeMap<String, u64>>,
}

macro_rules! counts {
    ($($(#[$doc:meta])* $event:ident = $name:ident;)*) => {
        #[derive(Default)]
        struct Counts {
            $($name: AtomicU64,)*
        }

        /// What happened to the calls of an operation, since the start.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
        #[serde(rename_all = "camelCase")]
        pub struct CallCounts {
            $($(#[$doc])* pub $name: u64,)*
        }

        impl Track {
            $($(#[$doc])*
            pub(crate) fn $event(&self) {
                self.counts.$name.fetch_add(1, Ordering::Relaxed);
            })*

            pub(crate) fn counts(&self) -> CallCounts {
                CallCounts { $($name: self.counts.$name.load(Ordering::Relaxed),)* }
            }
        }
    };
}

counts! {
    /// Attempts that went to the service.
    attempted = attempts;
    /// Second attempts after a failure.
    retried = retries;
    /// Second attempts beside a slow first one.
    hedged = hedges;
    /// Calls that shared another one's answer.
    coalesced = coalesced;
    /// Attempts that found no place at the service.
    shed = shed;
    /// Attempts that the breaker refused.
    refused = breaker_open;
    /// Attempts that were ended from outside: by a timeout, or since nobody waited any more.
    given_up = given_up;
}

/// A call that has no outcome yet. It is counted when this is dropped, so also when its future is.
#[must_use = "dropped, it says that the call was cancelled"]
pub(crate) struct Counted {
    track: Arc<Track>,
    outcome: Outcome,
}

impl Counted {
    pub(crate) fn ended(mut self, outcome: Outcome) {
        self.outcome = outcome;
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.track.outcomes[self.outcome as usize].fetch_add(1, Ordering::Relaxed);
    }
}

/// How an operation is doing.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OperationState {
    /// What happened to its calls.
    #[serde(flatten)]
    pub counts: CallCounts,
    /// Its calls by what became of them, those that were answered from memory among them. One that goes on is not
    /// counted yet.
    pub outcomes: BTreeMap<&'static str, u64>,
    /// How long its answers take.
    pub latency: LatencyState,
    /// Whether it is asked.
    pub breaker: BreakerState,
    /// How often its contract was violated, by field.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub contract_violations: BTreeMap<String, u64>,
}

impl Track {
    pub(crate) fn new(labels: Labels, breaker: Arc<Breaker>) -> Self {
        Self {
            labels,
            breaker,
            latency: Latency::new(),
            counts: Counts::default(),
            outcomes: std::array::from_fn(|_| AtomicU64::new(0)),
            violations: Mutex::default(),
        }
    }

    pub(crate) fn labels(&self) -> &Labels {
        &self.labels
    }

    /// Begins to count one call.
    pub(crate) fn count(self: &Arc<Self>) -> Counted {
        Counted { track: Arc::clone(self), outcome: Outcome::Cancelled }
    }

    /// Its calls by what became of them.
    pub(crate) fn outcomes(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let counted = Outcome::ALL.iter().zip(&self.outcomes);
        counted.map(|(outcome, count)| (outcome.as_str(), count.load(Ordering::Relaxed)))
    }

    /// Contract violations by field.
    pub(crate) fn violations(&self) -> BTreeMap<String, u64> {
        self.violations.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn breaker(&self) -> &Arc<Breaker> {
        &self.breaker
    }

    pub(crate) fn latency(&self) -> &Latency {
        &self.latency
    }

    /// Counts a violation at `path`, whatever its place in a list: `items[3].price` is `items[].price`.
    pub(crate) fn violated(&self, path: &str) {
        let field = field(path);
        let mut violations = self.violations.lock().unwrap_or_else(PoisonError::into_inner);
        let known = violations.len() < MOST_FIELDS || violations.contains_key(&field);
        *violations.entry(if known { field } else { OTHER_FIELDS.to_owned() }).or_default() += 1;
    }

    pub(crate) fn state(&self) -> OperationState {
        OperationState {
            counts: self.counts(),
            outcomes: self.outcomes().filter(|(_, count)| *count > 0).collect(),
            latency: self.latency.state(),
            breaker: self.breaker.state(),
            contract_violations: self.violations(),
        }
    }
}

#[cfg(any(test, fuzzing))]
impl Track {
    /// Of no operation in particular.
    pub(crate) fn fake() -> Self {
        static NOTHING: crate::Operation = crate::Operation::get("things.get", "/things");
        let url = "http://things".parse().expect("a URL");
        Self::new(Labels::new("things", &NOTHING, &url), Breaker::new(false))
    }
}

fn field(path: &str) -> String {
    let mut parts = path.split('[');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |field, part| field + "[]" + part.split_once(']').map_or("", |(_, rest)| rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_the_same_anywhere_in_a_list() {
        for (path, expected) in [
            ("name", "name"),
            ("items[3].price", "items[].price"),
            ("a[0][12].b[7]", "a[][].b[]"),
            ("[0]", "[]"),
            (".", "."),
            ("broken[", "broken[]"),
        ] {
            assert_eq!(field(path), expected);
        }
    }

    #[test]
    fn fields_that_a_service_invents_are_bounded() {
        let track = Track::fake();
        (0..1000).for_each(|n| track.violated(&format!("x{n}")));
        track.violated("x7");
        let violations = track.state().contract_violations;
        assert_eq!(violations.len(), MOST_FIELDS + 1);
        assert_eq!((violations["x7"], violations[OTHER_FIELDS]), (2, 900));
    }
}
