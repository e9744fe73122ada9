//! Invalidations over Redis: one connection that listens, as soon as somebody does.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::StreamExt;
use redis::aio::PubSub;
use tokio::sync::broadcast;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::task::AbortOnDropHandle;
use tracing::{info, warn};

use super::backoff::Backoff;
use super::servers::Connector;
use crate::invalidation::{BACKLOG, Event};

/// How often the connection is tried, and how long it may take to answer.
const PING: Duration = Duration::from_secs(1);
/// The most tags that one message names, and the most bytes that it has.
const TAGS: usize = 256;
const BYTES: usize = 64 << 10;
/// A message that invalidates everything.
const ALL: &[u8] = b"*";

pub(super) struct Channel {
    connector: Arc<Connector>,
    name: String,
    events: broadcast::Sender<Event>,
    listening: OnceLock<AbortOnDropHandle<()>>,
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Channel {
    pub(super) fn new(connector: Arc<Connector>, name: String) -> Self {
        let events = broadcast::Sender::new(BACKLOG);
        Self { connector, name, events, listening: OnceLock::new() }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    /// Listens from now on, until this is dropped.
    pub(super) fn listen(&self) {
        self.listening.get_or_init(|| {
            let (connector, name) = (Arc::clone(&self.connector), self.name.clone());
            AbortOnDropHandle::new(tokio::spawn(listen(connector, name, self.events.clone())))
        });
    }
}

/// What is published for these tags. What does not fit is sent as [`ALL`]: too much forgotten is only slow.
pub(super) fn encode(tags: &[String]) -> Vec<u8> {
    let message = serde_json::to_vec(tags).expect("text is always JSON");
    if tags.len() > TAGS || message.len() > BYTES { ALL.to_vec() } else { message }
}

/// What a message says; `None` if nobody knows.
fn decode(message: &[u8]) -> Option<Event> {
    if message == ALL {
        return Some(Event::Missed);
    }
    let small = message.len() <= BYTES;
    let tags: Vec<String> = small.then(|| serde_json::from_slice(message).ok())??;
    (tags.len() <= TAGS).then_some(Event::Tags(tags))
}

/// What is understood can be told to others, and says the same to them.
#[cfg(fuzzing)]
pub(crate) fn heard(message: &[u8]) {
    if let Some(Event::Tags(tags)) = decode(message) {
        let again = decode(&encode(&tags)).expect("what we say is understood");
        assert!(matches!(again, Event::Missed) || matches!(again, Event::Tags(said) if said == tags));
    }
}

async fn listen(connector: Arc<Connector>, name: String, events: broadcast::Sender<Event>) {
    let mut backoff = Backoff::new();
    let mut down = false;
    loop {
        let lasted = match connector.listen(&name).await {
            Ok(connection) => {
                info!("hearing invalidations");
                down = false;
                let since = Instant::now();
                // Nobody subscribes at the moment: nobody is told.
                let _ = events.send(Event::Missed);
                follow(connection, &events).await;
                warn!("lost the connection that hears invalidations");
                since.elapsed()
            }
            Err(error) => {
                if !std::mem::replace(&mut down, true) {
                    warn!(%error, "cannot hear invalidations");
                }
                Duration::ZERO
            }
        };
        backoff.wait(lasted).await;
    }
}

/// Passes on what is heard, until the connection is lost.
async fn follow(connection: PubSub, events: &broadcast::Sender<Event>) {
    let (mut sink, mut messages) = connection.split();
    let mut ping = Instant::now() + PING;
    loop {
        tokio::select! {
            message = messages.next() => {
                let Some(message) = message else { return };
                if let Some(event) = decode(message.get_payload_bytes()) {
                    let _ = events.send(event);
                } else {
                    warn!("ignoring an invalidation that is none");
                }
            }
            () = sleep_until(ping) => {
                if !matches!(timeout(PING, sink.ping::<redis::Value>()).await, Ok(Ok(_))) {
                    return;
                }
                ping = Instant::now() + PING;
            }
        }
    }
}

#[cfg(test)]
mod tests;
