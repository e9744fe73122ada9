//! Whether an attempt had the time it was meant to have, also when it is dropped.

use std::time::Duration;

use tokio::time::Instant;

use super::Call;

/// A timeout says something about the service only if the attempt had this part of its time, in tenths: waiting for a
/// place and composing the answer take some of it.
const MOST_OF_IT: u32 = 9;

/// The time of one attempt.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    since: Instant,
    /// What a service may be expected to answer in.
    expected: Duration,
    given: Duration,
}

impl Span {
    fn of(call: &Call) -> Self {
        let configured = call.facts.timeout.min(call.facts.ctx.patience());
        let given = call.time_left();
        Self { since: Instant::now(), expected: configured * MOST_OF_IT / 10, given }
    }

    /// Whether it was given its full time. A client in a hurry must not speak against a service.
    pub(crate) fn was_full(self) -> bool {
        self.given >= self.expected
    }

    pub(crate) fn elapsed(self) -> Duration {
        self.since.elapsed()
    }

    /// Whether it was given its full time, and took it.
    fn is_used_up(self) -> bool {
        self.was_full() && self.elapsed() >= self.expected
    }
}

/// Something that an attempt holds, and what becomes of it when the attempt is dropped.
pub(crate) struct Watched<T, F: FnOnce(T, bool)> {
    held: Option<(T, F)>,
    span: Span,
}

impl Call {
    /// Holds something for this attempt. Dropped before [`Watched::finish`], `ended` gets it, and whether the full time
    /// was used up.
    pub(crate) fn watch<T, F: FnOnce(T, bool)>(&self, held: T, ended: F) -> Watched<T, F> {
        Watched { held: Some((held, ended)), span: Span::of(self) }
    }
}

impl<T, F: FnOnce(T, bool)> Watched<T, F> {
    /// Since when it is held.
    pub(crate) fn since(&self) -> Instant {
        self.span.since
    }

    /// Takes it back: the attempt has an outcome.
    pub(crate) fn finish(mut self) -> (T, Span) {
        let (held, _) = self.held.take().expect("nothing but this and the drop takes it");
        (held, self.span)
    }
}

impl<T, F: FnOnce(T, bool)> Drop for Watched<T, F> {
    fn drop(&mut self) {
        if let Some((held, ended)) = self.held.take() {
            ended(held, self.span.is_used_up());
        }
    }
}
