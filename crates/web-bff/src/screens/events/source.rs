//! Where the events come from, however often that is lost.

use std::time::Duration;

use domain_clients::{CallError, CallErrorKind, Event, EventId, Events, OrderEvent, Orders};
use futures::{Stream, stream};
use tokio::time::{Instant, sleep};

use crate::recall::Recalled;

const SHORTEST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(5);
/// A service may want to be left alone for longer, but not for ever.
const LONGEST_ADVICE: Duration = Duration::from_secs(30);

/// The events of one caller, one after the other, over as many streams of the service as it takes.
pub(super) struct Source {
    orders: Orders,
    request: Recalled,
    events: Events<OrderEvent>,
    since: Instant,
    /// What was passed on last, or what the client had seen.
    last: Option<EventId>,
    /// How often the service was lost since it was there for a while.
    losses: u32,
}

impl Source {
    pub(super) fn new(
        orders: Orders,
        request: Recalled,
        events: Events<OrderEvent>,
        last: Option<EventId>,
    ) -> Self {
        Self { orders, request, events, since: Instant::now(), last, losses: 0 }
    }

    /// Ends only when the service refuses: a service that is gone comes back.
    pub(super) fn events(self) -> impl Stream<Item = Event<OrderEvent>> + Send + 'static {
        stream::unfold(self, |mut source| async { Some((source.next().await?, source)) })
    }

    async fn next(&mut self) -> Option<Event<OrderEvent>> {
        loop {
            if let Some(Ok(event)) = self.events.next().await {
                self.last = event.id.clone().or(self.last.take());
                return Some(event);
            }
            self.events = self.reopened().await.ok()?;
            self.since = Instant::now();
        }
    }

    /// The stream again, from where it was lost.
    async fn reopened(&mut self) -> Result<Events<OrderEvent>, CallError> {
        if self.since.elapsed() >= LONGEST {
            self.losses = 0;
        }
        let mut advice = self.events.retry();
        loop {
            sleep(pause(self.losses, advice.take(), rand::random())).await;
            self.losses = self.losses.saturating_add(1);
            match self.orders.events(&self.request.now(), self.last.as_ref()).await {
                Err(error) if !is_final(&error) => {}
                outcome => return outcome,
            }
        }
    }
}

/// Whether to ask again would be in vain. A credential that is refused is not final: who called is asked for anyway,
/// and that either renews it or ends the stream.
fn is_final(error: &CallError) -> bool {
    match error.kind {
        CallErrorKind::Refused { .. } => true,
        CallErrorKind::Timeout
        | CallErrorKind::Unavailable
        | CallErrorKind::Shed { .. }
        | CallErrorKind::BreakerOpen { .. }
        | CallErrorKind::ContractViolation { .. }
        | CallErrorKind::Unauthorized => false,
    }
}

/// Twice as long each time, and a random part of its upper half, so that those who were lost together do not come back
/// together; `random` is from 0 to 1.
fn pause(losses: u32, advice: Option<Duration>, random: f64) -> Duration {
    let longest = SHORTEST.saturating_mul(2_u32.saturating_pow(losses)).min(LONGEST);
    longest.max(advice.unwrap_or_default().min(LONGEST_ADVICE)).mul_f64(0.5 + random / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_are_spread() {
        let second = Duration::from_secs(1);
        for (losses, advice, from, to) in [
            (0, None, 125, 250),
            (1, None, 250, 500),
            (4, None, 2000, 4000),
            (5, None, 2500, 5000),
            (u32::MAX, None, 2500, 5000),
            (0, Some(second), 500, 1000),
            (5, Some(second), 2500, 5000),
            (0, Some(3600 * second), 15_000, 30_000),
        ] {
            let of = |random| pause(losses, advice, random).as_millis();
            assert_eq!((of(0.0), of(1.0)), (from, to), "{losses} {advice:?}");
        }
    }
}
