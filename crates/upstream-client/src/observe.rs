//! What a meter sees of the outbound half. Everything but durations is read from the state that is kept anyway, when
//! somebody asks for it.

use std::sync::{Arc, Weak};

use opentelemetry::KeyValue;
use opentelemetry::metrics::Meter;

use crate::breaker::BreakerPosition;
use crate::cache::Use;
use crate::outbound::Inner;
use crate::track::Track;
use crate::upstream::Inner as Upstream;
use crate::{CallCounts, Outbound};

/// In seconds, as OpenTelemetry's semantic conventions have them.
const BUCKETS: [f64; 14] =
    [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

type OfCalls = fn(&CallCounts) -> u64;
type OfUpstream = fn(&Upstream) -> usize;

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
    ("triptych.upstream.limit", |upstream| upstream.limiter().state().limit),
    ("triptych.upstream.in_flight", |upstream| upstream.limiter().state().in_flight),
    ("triptych.upstream.queued", |upstream| upstream.limiter().state().queued),
    ("triptych.upstream.budget.remaining", |upstream| number(upstream.budget().state().attempts_left)),
];

impl Outbound {
    /// Shows this meter how everything is doing, and from now on how long each exchange takes. Once.
    pub fn observe(&self, meter: &Meter) {
        let inner = Arc::downgrade(self.inner());
        self.time_with(|| {
            let durations = meter.f64_histogram("http.client.request.duration");
            durations.with_unit("s").with_boundaries(BUCKETS.to_vec()).build()
        });
        calls(&inner, meter);
        breakers(&inner, meter);
        for (name, read) in GAUGES {
            let inner = inner.clone();
            let gauge = meter.u64_observable_gauge(name).with_callback(move |to| {
                each_upstream(&inner, |upstream| {
                    let of = [KeyValue::new("triptych.upstream", upstream.name())];
                    to.observe(read(upstream) as u64, &of);
                });
            });
            gauge.build();
        }
        // One that never keeps anything is no cache, and would hide the one beside it.
        if self.cache().is_on() {
            cache(&inner, meter);
        }
    }
}

fn calls(inner: &Weak<Inner>, meter: &Meter) {
    let of = inner.clone();
    let calls = meter.u64_observable_counter("triptych.upstream.calls").with_callback(move |to| {
        each_operation(&of, |track| {
            for (outcome, count) in track.outcomes().filter(|(_, count)| *count > 0) {
                to.observe(count, &and(track, KeyValue::new("triptych.outcome", outcome)));
            }
        });
    });
    calls.build();
    for (name, read) in COUNTERS {
        let of = inner.clone();
        let counter = meter.u64_observable_counter(name).with_callback(move |to| {
            each_operation(&of, |track| to.observe(read(&track.counts()), track.labels().operation()));
        });
        counter.build();
    }
    let of = inner.clone();
    let violations = meter.u64_observable_counter("triptych.upstream.contract_violations");
    let violations = violations.with_callback(move |to| {
        each_operation(&of, |track| {
            for (path, count) in track.violations() {
                to.observe(count, &and(track, KeyValue::new("triptych.contract.path", path)));
            }
        });
    });
    violations.build();
}

fn breakers(inner: &Weak<Inner>, meter: &Meter) {
    let of = inner.clone();
    let state = meter.u64_observable_gauge("triptych.upstream.breaker.state").with_callback(move |to| {
        each_operation(&of, |track| {
            let position = match track.breaker().state().position {
                BreakerPosition::Disabled => return,
                BreakerPosition::Closed => 0,
                BreakerPosition::Probing => 1,
                BreakerPosition::Open => 2,
            };
            to.observe(position, track.labels().operation());
        });
    });
    state.build();
}

fn cache(inner: &Weak<Inner>, meter: &Meter) {
    let of = inner.clone();
    let requests = meter.u64_observable_counter("triptych.cache.requests").with_callback(move |to| {
        let Some(inner) = of.upgrade() else { return };
        let state = inner.cache().state();
        for (used, count) in [
            (Use::Fresh.as_str(), state.fresh),
            (Use::WhileRevalidating.as_str(), state.stale_while_revalidate),
            (Use::IfError.as_str(), state.stale_if_error),
            ("miss", state.missed),
        ] {
            to.observe(count, &[KeyValue::new("triptych.cache", used)]);
        }
    });
    requests.build();
    let of = inner.clone();
    let entries = meter.u64_observable_gauge("triptych.cache.entries").with_callback(move |to| {
        of.upgrade().iter().for_each(|inner| to.observe(inner.cache().state().entries, &[]));
    });
    entries.build();
    let of = inner.clone();
    let size = meter.u64_observable_gauge("triptych.cache.size").with_unit("By").with_callback(move |to| {
        of.upgrade().iter().for_each(|inner| to.observe(inner.cache().state().bytes, &[]));
    });
    size.build();
    let of = inner.clone();
    let limit = meter.u64_observable_gauge("triptych.cache.limit").with_unit("By").with_callback(move |to| {
        of.upgrade().iter().for_each(|inner| to.observe(inner.cache().state().max_bytes, &[]));
    });
    limit.build();
}

fn each_upstream(inner: &Weak<Inner>, mut see: impl FnMut(&Upstream)) {
    let upstreams = inner.upgrade().map(|inner| inner.living()).unwrap_or_default();
    upstreams.iter().for_each(|upstream| see(upstream));
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

fn number(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
