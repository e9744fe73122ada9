//! How many event streams there may be, and when they all end.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use opentelemetry::metrics::Meter;
use request_context::{Caller, Subject};
use screen::{Problem, kind};
use service_runtime::CancellationToken;

use crate::settings::EventSettings;

/// When somebody who was not let in may try again: a tab may have been closed, or a replica started.
const RETRY_AFTER: Duration = Duration::from_secs(10);

/// The event streams of this replica. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Streams(Arc<Inner>);

struct Inner {
    settings: EventSettings,
    open: Mutex<Open>,
    closing: CancellationToken,
}

#[derive(Default)]
struct Open {
    all: usize,
    /// Those who have one, and how many.
    each: HashMap<User, usize>,
}

/// A subject, and who vouches for it.
type User = (Arc<str>, Subject);

/// One stream's place. It is free again when this is dropped.
pub(crate) struct Place {
    streams: Streams,
    user: User,
}

impl Streams {
    pub(crate) fn new(settings: &EventSettings) -> Self {
        let (open, closing) = (Mutex::default(), CancellationToken::new());
        Self(Arc::new(Inner { settings: settings.clone(), open, closing }))
    }

    pub(crate) fn settings(&self) -> &EventSettings {
        &self.0.settings
    }

    /// Shows this meter how many are open.
    pub(crate) fn observe(&self, meter: &Meter) {
        let streams = Arc::downgrade(&self.0);
        let open = meter.u64_observable_gauge("triptych.streams.open").with_callback(move |to| {
            if let Some(streams) = streams.upgrade().map(Streams) {
                to.observe(streams.open().all as u64, &[]);
            }
        });
        open.build();
    }

    /// Cancelled, it ends all streams.
    pub(crate) fn closing(&self) -> &CancellationToken {
        &self.0.closing
    }

    /// A place for a stream of `caller`, or why there is none.
    pub(crate) fn enter(&self, caller: &Caller) -> Result<Place, Problem> {
        let user = (caller.realm.clone(), caller.subject.clone());
        let mut open = self.open();
        if open.all >= self.settings().max_streams {
            return Err(Problem::new(kind::OVERLOADED).retry_after(RETRY_AFTER));
        }
        let own = open.each.get(&user).copied().unwrap_or_default();
        if own >= self.settings().max_per_user {
            let detail =
                format!("At most {} event streams may be open at once.", self.settings().max_per_user);
            return Err(Problem::new(kind::TOO_MANY_REQUESTS).detail(detail).retry_after(RETRY_AFTER));
        }
        open.all += 1;
        open.each.insert(user.clone(), own + 1);
        Ok(Place { streams: self.clone(), user })
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.streams.open();
        open.all -= 1;
        match open.each.get_mut(&self.user) {
            Some(own) if *own > 1 => *own -= 1,
            _ => drop(open.each.remove(&self.user)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_support::{Metrics, caller};

    #[test]
    fn places_are_counted_by_user_and_in_all() {
        let settings = EventSettings { max_per_user: 2, max_streams: 3, ..EventSettings::default() };
        let streams = Streams::new(&settings);
        let status = |subject| streams.enter(&caller(subject)).map_err(|problem| problem.status().as_u16());
        let first = status("u_1").ok().unwrap();
        let second = status("u_1").ok().unwrap();
        assert_eq!(status("u_1").err(), Some(429));
        let third = status("u_2").ok().unwrap();
        assert_eq!(status("u_2").err(), Some(503));
        let metrics = Metrics::new();
        streams.observe(&metrics.meter());
        assert_eq!(metrics.lines("triptych_streams_open"), ["triptych_streams_open 3"]);
        drop(first);
        let first = status("u_2").ok().unwrap();
        // The same name, by another issuer.
        drop(third);
        let other = Caller { realm: "https://other.example".into(), ..caller("u_1") };
        let other = streams.enter(&other).ok().unwrap();
        drop((first, second, other));
        let open = streams.open();
        assert_eq!((open.all, open.each.len()), (0, 0));
    }
}
