//! One client's stream, until something ends it.

use std::convert::Infallible;
use std::mem;
use std::time::Duration;

use axum::body::{Body, Bytes};
use domain_clients::{Event, OrderEvent};
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{Stream, StreamExt, stream};
use middleware::Ending;
use tokio::time::{Instant, sleep_until};

use super::frame;
use crate::recall::Refused;
use crate::settings::EventSettings;
use crate::streams::Place;

/// When a client comes back whose connection was lost.
const USUAL_RETRY: Duration = Duration::from_secs(3);

/// What goes to the client. It is the body of the answer itself, without a task or a queue: nothing is read from the
/// service before the client has taken what came before, and all of it is gone with the client.
pub(super) struct Relay {
    events: BoxStream<'static, Event<OrderEvent>>,
    refused: BoxFuture<'static, Refused>,
    closing: BoxFuture<'static, ()>,
    /// When it is old enough.
    end: Instant,
    heartbeat: Duration,
    /// When something must be said.
    beat: Instant,
    ending: Ending,
    state: State,
    _place: Place,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    Open,
    Over,
}

impl Relay {
    /// Ends when the caller is `refused`, all streams are `closing` or `events` end.
    pub(super) fn new(
        events: impl Stream<Item = Event<OrderEvent>> + Send + 'static,
        refused: impl Future<Output = Refused> + Send + 'static,
        closing: impl Future<Output = ()> + Send + 'static,
        settings: &EventSettings,
        place: Place,
    ) -> Self {
        let now = Instant::now();
        Self {
            events: events.boxed(),
            refused: Box::pin(refused),
            closing: Box::pin(closing),
            end: now + settings.max_age,
            heartbeat: settings.heartbeat,
            beat: now + settings.heartbeat,
            ending: Ending::default(),
            state: State::New,
            _place: place,
        }
    }

    /// Why it ends.
    pub(super) fn ending(&self) -> Ending {
        self.ending.clone()
    }

    pub(super) fn into_body(self) -> Body {
        Body::from_stream(stream::unfold(self, |mut relay| async {
            Some((Ok::<_, Infallible>(relay.next().await?), relay))
        }))
    }

    async fn next(&mut self) -> Option<Bytes> {
        match self.state {
            State::New => {
                self.state = State::Open;
                Some(frame::retry(USUAL_RETRY))
            }
            State::Open => Some(self.said().await),
            State::Over => None,
        }
    }

    async fn said(&mut self) -> Bytes {
        tokio::select! {
            // Whoever may no longer listen hears nothing more, even if there is something to say.
            biased;
            refused = self.refused.as_mut() => match refused {
                Refused::Over => self.ends("session", frame::SESSION_ENDED),
                Refused::Unknown => self.ends("unknown", frame::retry(spread())),
            },
            () = self.closing.as_mut() => self.ends("drain", frame::retry(spread())),
            () = sleep_until(self.end) => self.ends("age", frame::retry(spread())),
            event = self.events.next() => match event {
                Some(event) => self.says(frame::order_status(event)),
                None => self.ends("upstream", frame::retry(spread())),
            },
            () = sleep_until(self.beat) => self.says(frame::HEARTBEAT),
        }
    }

    fn says(&mut self, frame: Bytes) -> Bytes {
        self.beat = Instant::now() + self.heartbeat;
        frame
    }

    /// The last that is said. The service need not go on.
    fn ends(&mut self, why: &'static str, frame: Bytes) -> Bytes {
        self.state = State::Over;
        self.ending.because(why);
        drop(mem::replace(&mut self.events, stream::empty().boxed()));
        frame
    }
}

/// Between one and five seconds, so that those whose streams end together do not come back together.
fn spread() -> Duration {
    Duration::from_millis(rand::random_range(1_000..=5_000))
}

#[cfg(test)]
mod tests;
