//! What a meter sees of credentials and of refreshes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use opentelemetry::KeyValue;
use opentelemetry::metrics::Meter;

use crate::rejection::Rejection;
use crate::{ApiKeys, Bearer, PartnerCallers};

/// What becomes of a credential, in the order of the counts.
const ACCEPTED: usize = 0;
const REFUSED: usize = 1;
const UNAVAILABLE: usize = 2;
const CREDENTIALS: [&str; 3] = ["accepted", "refused", "unavailable"];

/// What becomes of a refresh, in the order of [`Refreshed`].
const REFRESHES: [&str; 4] = ["ok", "lost_race", "failed", "ended"];

/// How often each of so many things happened.
#[derive(Debug)]
pub(crate) struct Counts<const N: usize>([AtomicU64; N]);

/// Credentials of one kind by what became of them.
pub(crate) type Credentials = Counts<3>;
/// Refreshes of sessions by what became of them.
pub(crate) type Refreshes = Counts<4>;

/// What became of a refresh.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Refreshed {
    Ok,
    /// Somebody else did it.
    LostRace,
    Failed,
    /// The session has ended.
    Ended,
}

impl<const N: usize> Default for Counts<N> {
    fn default() -> Self {
        Self(std::array::from_fn(|_| AtomicU64::new(0)))
    }
}

impl<const N: usize> Counts<N> {
    fn count(&self, place: usize) {
        self.0[place].fetch_add(1, Ordering::Relaxed);
    }

    fn observe(
        self: &Arc<Self>,
        meter: &Meter,
        name: &'static str,
        outcomes: [&'static str; N],
        of: &[KeyValue],
    ) {
        let (counts, of) = (Arc::downgrade(self), of.to_vec());
        let counter = meter.u64_observable_counter(name).with_callback(move |to| {
            let Some(counts) = counts.upgrade() else { return };
            for (outcome, count) in outcomes.into_iter().zip(&counts.0) {
                let mut of = of.clone();
                of.push(KeyValue::new("triptych.outcome", outcome));
                to.observe(count.load(Ordering::Relaxed), &of);
            }
        });
        counter.build();
    }
}

impl Credentials {
    /// Counts a credential by what it led to. No credential is none.
    pub(crate) fn led_to<T>(&self, outcome: &Result<T, Rejection>) {
        match outcome {
            Ok(_) => self.accepted(),
            Err(rejection) => self.turned_down(rejection),
        }
    }

    pub(crate) fn turned_down(&self, rejection: &Rejection) {
        match rejection {
            Rejection::Missing => {}
            Rejection::Bad(_) => self.refused(),
            Rejection::Unavailable(_) => self.unavailable(),
        }
    }

    pub(crate) fn accepted(&self) {
        self.count(ACCEPTED);
    }

    pub(crate) fn refused(&self) {
        self.count(REFUSED);
    }

    pub(crate) fn unavailable(&self) {
        self.count(UNAVAILABLE);
    }

    pub(crate) fn show(self: &Arc<Self>, meter: &Meter, kind: &'static str) {
        let of = [KeyValue::new("triptych.credential", kind)];
        self.observe(meter, "triptych.identity.credentials", CREDENTIALS, &of);
    }
}

impl Refreshes {
    pub(crate) fn ended(&self, refreshed: Refreshed) {
        self.count(refreshed as usize);
    }

    pub(crate) fn show(self: &Arc<Self>, meter: &Meter) {
        self.observe(meter, "triptych.identity.refreshes", REFRESHES, &[]);
    }
}

impl Bearer {
    /// Shows this meter what became of access tokens.
    pub fn observe(&self, meter: &Meter) {
        self.credentials().show(meter, "bearer");
    }
}

impl ApiKeys {
    /// Shows this meter what became of API keys.
    pub fn observe(&self, meter: &Meter) {
        self.credentials().show(meter, "api_key");
    }
}

impl PartnerCallers {
    /// Shows this meter what became of either credential.
    pub fn observe(&self, meter: &Meter) {
        self.keys().observe(meter);
        self.bearer().observe(meter);
    }
}

#[cfg(test)]
mod tests {
    use test_support::Metrics;

    use super::*;
    use crate::rejection::Fault;

    #[test]
    fn a_credential_is_counted_by_what_it_led_to() {
        let (credentials, metrics) = (Arc::new(Credentials::default()), Metrics::new());
        credentials.show(&metrics.meter(), "bearer");
        let cause: problem::Cause = Arc::new(std::io::Error::other("the store is down"));
        for outcome in [
            Ok(()),
            Ok(()),
            Err(Rejection::Missing),
            Err(Rejection::Bad(Fault::Expired)),
            Err(Rejection::Unavailable(cause)),
        ] {
            credentials.led_to(&outcome);
        }
        let lines = [("accepted", 2), ("refused", 1), ("unavailable", 1)].map(|(outcome, count)| {
            let of = format!(r#"triptych_credential="bearer",triptych_outcome="{outcome}""#);
            format!("triptych_identity_credentials_total{{{of}}} {count}")
        });
        assert_eq!(metrics.lines("triptych_identity_credentials_total"), lines);
    }
}
