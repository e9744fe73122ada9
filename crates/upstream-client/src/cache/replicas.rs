//! What the caches of a service's replicas tell each other.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use store::{Event, Invalidations, Subscription};
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::task::AbortOnDropHandle;

use super::{Cache, invalidation};

/// While the channel is broken, so many tags wait to be sent. Beyond that everything is invalidated once it heals.
const MOST_UNSENT: usize = 1_000;
/// How long to wait before what could not be sent is sent again.
const AGAIN: Duration = Duration::from_secs(1);
/// A write waits so long for its siblings to be told. Where that is not enough, they are told a little later.
const LONGEST_WAIT: Duration = Duration::from_millis(50);

/// A cache, and the channel to its siblings.
pub(crate) struct Replicas {
    cache: Cache,
    channel: Invalidations,
    unsent: Arc<Mutex<Vec<String>>>,
    listening: OnceLock<AbortOnDropHandle<()>>,
}

impl Replicas {
    pub(crate) fn new(cache: Cache, channel: Invalidations) -> Self {
        Self { cache, channel, unsent: Arc::default(), listening: OnceLock::new() }
    }

    /// Hears what siblings invalidate, from now on until this is dropped.
    pub(crate) fn listen(&self) {
        self.listening.get_or_init(|| {
            let subscription = self.channel.subscribe();
            let task = follow(self.cache.clone(), subscription, self.channel.clone(), self.unsent.clone());
            AbortOnDropHandle::new(tokio::spawn(task))
        });
    }

    /// Tells the siblings. What cannot be told now is told when the channel has healed, whether or not somebody still
    /// waits for it.
    pub(crate) async fn tell(&self, tags: &[String]) {
        let (channel, unsent, tags) = (self.channel.clone(), self.unsent.clone(), tags.to_vec());
        let mut telling = Box::pin(async move {
            if channel.publish(&tags).await.is_err() {
                put_off(&unsent, &tags);
            }
        });
        // A channel in memory has nothing to wait for.
        if futures::poll!(&mut telling).is_pending() {
            let _ = timeout(LONGEST_WAIT, tokio::spawn(telling)).await;
        }
    }
}

#[cfg(test)]
impl Replicas {
    pub(crate) fn put_off(&self, tags: &[String]) {
        put_off(&self.unsent, tags);
    }
}

async fn follow(
    cache: Cache,
    mut heard: Subscription,
    channel: Invalidations,
    unsent: Arc<Mutex<Vec<String>>>,
) {
    let mut again = interval(AGAIN);
    again.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            event = heard.next() => match event {
                Event::Tags(tags) => cache.invalidate(tags),
                Event::Missed => cache.invalidate_all(),
            },
            _ = again.tick() => {
                let tags = std::mem::take(&mut *unsent.lock().unwrap_or_else(PoisonError::into_inner));
                if !tags.is_empty() && channel.publish(&tags).await.is_err() {
                    put_off(&unsent, &tags);
                }
            }
        }
    }
}

fn put_off(unsent: &Mutex<Vec<String>>, tags: &[String]) {
    let mut unsent = unsent.lock().unwrap_or_else(PoisonError::into_inner);
    if unsent.len() + tags.len() > MOST_UNSENT {
        *unsent = vec![invalidation::ALL.to_owned()];
    } else {
        unsent.extend_from_slice(tags);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_told_is_bounded() {
        let unsent = Mutex::default();
        put_off(&unsent, &["a".to_owned(), "b".to_owned()]);
        assert_eq!(*unsent.lock().unwrap(), ["a", "b"]);
        put_off(&unsent, &vec!["c".to_owned(); MOST_UNSENT]);
        assert_eq!(*unsent.lock().unwrap(), ["*"]);
    }
}
