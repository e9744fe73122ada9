//! What a meter sees of the outbound half. Everything but durations is read from the state that is kept anyway, when
//! somebody asks for it.

use std::sync::{Arc, Weak};

use opentelemetry::KeyValue;
use opentelemetry::metrics::{AsyncInstrument, Meter};

use crate::breaker::BreakerPosition;
use crate::cache::{CacheState, Use};
use crate::outbound::Inner;
use crate::track::Track;
use crate::upstream::Inner as Upstream;
use crate::{CallCounts, Outbound};

/// In seconds, as OpenTelemetry's semantic conventions have them.
const BUCKETS: [f64; 14] = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

type OfCalls = fn(&CallCounts) -> u64;
type OfUpstream = fn(&Upstream) -> u64;
type OfCache = fn(&CacheState) -> u64;

/// What is counted of each operation.
const COUNTERS: [(&str, OfCalls); 7] = [
    ("triptych.upstream.attempts", |calls| calls.attempts),
    ("triptych.upstream.retries", |calls| calls.retries),
    ("triptych.upstream.hedges", |calls| calls.hedges),
    ("triptych.upstream.coalesced", |calls| calls.coalesced),
    ("triptych.upstream.shed", |calls| calls.shed),
    ("triptych.upstream.breaker_refused", |calls| calls.breaker_open),
    ("triptych.upstream.given_up", |calls| calls.given_up),
];

/// What is full, or empty, of each service.
const GAUGES: [(&str, OfUpstream); 4] = [
    ("triptych.upstream.limit", |upstream| upstream.limiter().state().limit as u64),
    ("triptych.upstream.in_flight", |upstream| upstream.limiter().state().in_flight as u64),
    ("triptych.upstream.queued", |upstream| upstream.limiter().state().queued as u64),
    ("triptych.upstream.budget.remaining", |upstream| upstream.budget().state().attempts_left),
];

/// How answers that may be kept were got.
const CACHED: [(&str, OfCache); 4] = [
    (Use::Fresh.as_str(), |cache| cache.fresh),
    (Use::WhileRevalidating.as_str(), |cache| cache.stale_while_revalidate),
    (Use::IfError.as_str(), |cache| cache.stale_if_error),
    ("miss", |cache| cache.missed),
];

/// How full the cache is, and in which unit.
const CACHE_GAUGES: [(&str, &str, OfCache); 3] = [
    ("triptych.cache.entries", "", |cache| cache.entries),
    ("triptych.cache.size", "By", |cache| cache.bytes),
    ("triptych.cache.limit", "By", |cache| cache.max_bytes),
];

impl Outbound {
    /// Shows this meter how everything is doing, and from now on how long each exchange takes. Once.
    pub fn observe(&self, meter: &Meter) {
        let inner = Arc::downgrade(self.inner());
        self.time_with(|| {
            let durations = meter.f64_histogram("http.client.request.duration");
            durations.with_unit("s").with_boundaries(BUCKETS.to_vec()).build()
        });
        counters(&inner, meter);
        gauges(&inner, meter);
        // One that never keeps anything is no cache, and would hide the one beside it.
        if self.cache().is_on() {
            cache(&inner, meter);
        }
    }
}

fn counters(inner: &Weak<Inner>, meter: &Meter) {
    counter(inner, meter, "triptych.upstream.calls", |track, sums| {
        for (outcome, count) in track.outcomes().filter(|(_, count)| *count > 0) {
            sums.add(and(track, KeyValue::new("triptych.outcome", outcome)), count);
        }
    });
    for (name, read) in COUNTERS {
        counter(inner, meter, name, move |track, sums| {
            sums.add(track.labels().operation().to_vec(), read(&track.counts()));
        });
    }
    counter(inner, meter, "triptych.upstream.contract_violations", |track, sums| {
        for (path, count) in track.violations() {
            sums.add(and(track, KeyValue::new("triptych.contract.path", path)), count);
        }
    });
}

fn counter(
    inner: &Weak<Inner>,
    meter: &Meter,
    name: &'static str,
    add: impl Fn(&Track, &mut Sums) + Send + Sync + 'static,
) {
    let inner = inner.clone();
    let counter = meter.u64_observable_counter(name).with_callback(move |to| {
        let mut sums = Sums::default();
        each_operation(&inner, |track| add(track, &mut sums));
        sums.tell(to);
    });
    counter.build();
}

fn gauges(inner: &Weak<Inner>, meter: &Meter) {
    for (name, read) in GAUGES {
        let inner = inner.clone();
        let gauge = meter.u64_observable_gauge(name).with_callback(move |to| {
            let mut sums = Sums::default();
            each_upstream(&inner, |upstream| {
                sums.add(vec![KeyValue::new("triptych.upstream", upstream.name())], read(upstream));
            });
            sums.tell(to);
        });
        gauge.build();
    }
    let inner = inner.clone();
    let breakers = meter.u64_observable_gauge("triptych.upstream.breaker.state").with_callback(move |to| {
        each_operation(&inner, |track| {
            let position = match track.breaker().state().position {
                BreakerPosition::Disabled => return,
                BreakerPosition::Closed => 0,
                BreakerPosition::Probing => 1,
                BreakerPosition::Open => 2,
            };
            to.observe(position, track.labels().operation());
        });
    });
    breakers.build();
}

fn cache(inner: &Weak<Inner>, meter: &Meter) {
    let of = inner.clone();
    let requests = meter.u64_observable_counter("triptych.cache.requests").with_callback(move |to| {
        let Some(state) = of.upgrade().map(|inner| inner.cache().state()) else { return };
        for (used, read) in CACHED {
            to.observe(read(&state), &[KeyValue::new("triptych.cache", used)]);
        }
    });
    requests.build();
    for (name, unit, read) in CACHE_GAUGES {
        let of = inner.clone();
        let gauge = meter.u64_observable_gauge(name).with_unit(unit).with_callback(move |to| {
            of.upgrade().iter().for_each(|inner| to.observe(read(&inner.cache().state()), &[]));
        });
        gauge.build();
    }
}

/// What is told of each thing: several clients may speak to one service, and a meter takes one value of it.
#[derive(Default)]
struct Sums(Vec<(Vec<KeyValue>, u64)>);

impl Sums {
    fn add(&mut self, of: Vec<KeyValue>, count: u64) {
        match self.0.iter_mut().find(|(known, _)| *known == of) {
            Some((_, sum)) => *sum += count,
            None => self.0.push((of, count)),
        }
    }

    fn tell(&self, to: &dyn AsyncInstrument<u64>) {
        self.0.iter().for_each(|(of, sum)| to.observe(*sum, of));
    }
}

fn each_upstream(inner: &Weak<Inner>, mut see: impl FnMut(&Upstream)) {
    let upstreams = inner.upgrade().map(|inner| inner.living()).unwrap_or_default();
    for upstream in &upstreams {
        see(upstream);
    }
}

fn each_operation(inner: &Weak<Inner>, mut see: impl FnMut(&Track)) {
    each_upstream(inner, |upstream| upstream.tracks().iter().for_each(|track| see(track)));
}

/// The operation's names, and one more.
fn and(track: &Track, more: KeyValue) -> Vec<KeyValue> {
    let mut attributes = track.labels().operation().to_vec();
    attributes.push(more);
    attributes
}
