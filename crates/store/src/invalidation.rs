//! Telling the caches of all replicas that what has a tag is no longer true.

use tokio::sync::broadcast;

use crate::StoreError;
use crate::shared::Kind;

/// How many events a subscriber may be behind before it is told that it missed some.
pub(crate) const BACKLOG: usize = 256;

/// The channel on which replicas tell each other which tags are no longer true.
#[derive(Clone, Debug)]
pub struct Invalidations(pub(crate) Kind);

impl Invalidations {
    /// Tells all subscribers in all replicas, this one included. `Ok` says that the store took the message;
    /// who cannot be reached at the moment is told [`Event::Missed`] later.
    pub async fn publish(&self, tags: &[String]) -> Result<(), StoreError> {
        match &self.0 {
            Kind::Memory(memory) => {
                // Nobody listens: nobody is told.
                let _ = memory.events.send(Event::Tags(tags.to_vec()));
                Ok(())
            }
            Kind::Redis(redis) => redis.publish(tags).await,
        }
    }

    /// Hears what is published from now on.
    pub fn subscribe(&self) -> Subscription {
        let events = match &self.0 {
            Kind::Memory(memory) => memory.events.subscribe(),
            Kind::Redis(redis) => redis.subscribe(),
        };
        Subscription { events, source: self.0.clone() }
    }
}

/// What a cache must do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Forget what has one of these tags.
    Tags(Vec<String>),
    /// Forget everything: there may have been events that did not arrive.
    Missed,
}

/// One subscriber's end of the channel. It keeps its store open.
#[derive(Debug)]
pub struct Subscription {
    events: broadcast::Receiver<Event>,
    source: Kind,
}

impl Subscription {
    /// The next event. Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Event {
        if let Kind::Redis(redis) = &self.source {
            redis.listen();
        }
        match self.events.recv().await {
            Ok(event) => event,
            Err(broadcast::error::RecvError::Lagged(_)) => Event::Missed,
            // The sender lives as long as `source`, which is ours.
            Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
        }
    }
}
