//! One run at a time for each session, for all who wait in this replica.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use tokio_util::task::TaskTracker;

use super::cookie::SessionKey;

/// The runs that are under way. Each is a task of its own: who waits for it can leave.
pub(crate) struct Flights<T> {
    under_way: Arc<UnderWay<T>>,
    tasks: TaskTracker,
}

type UnderWay<T> = Mutex<HashMap<SessionKey, watch::Receiver<Option<T>>>>;

/// The end of a run.
pub(crate) struct Landing<T>(watch::Receiver<Option<T>>);

/// Takes a run off the list, also if it panics.
struct Ends<T> {
    key: SessionKey,
    under_way: Arc<UnderWay<T>>,
}

impl<T: Clone + Send + Sync + 'static> Flights<T> {
    pub(crate) fn new(tasks: TaskTracker) -> Self {
        Self { under_way: Arc::default(), tasks }
    }

    /// The run that is under way.
    pub(crate) fn under_way(&self, key: SessionKey) -> Option<Landing<T>> {
        locked(&self.under_way).get(&key).cloned().map(Landing)
    }

    /// The run that is under way, or else one that begins now.
    pub(crate) fn join<F>(&self, key: SessionKey, start: impl FnOnce() -> F) -> Landing<T>
    where
        F: Future<Output = T> + Send + 'static,
    {
        let mut under_way = locked(&self.under_way);
        if let Some(landing) = under_way.get(&key) {
            return Landing(landing.clone());
        }
        let (sender, receiver) = watch::channel(None);
        under_way.insert(key, receiver.clone());
        let ends = Ends { key, under_way: Arc::clone(&self.under_way) };
        let run = start();
        self.tasks.spawn(async move {
            let result = run.await;
            // Who comes now begins another run, and looks at the session anew.
            drop(ends);
            sender.send_replace(Some(result));
        });
        Landing(receiver)
    }
}

impl<T: Clone> Landing<T> {
    /// The result of the run; `None` if it panicked.
    pub(crate) async fn result(mut self) -> Option<T> {
        self.0.wait_for(Option::is_some).await.ok()?.clone()
    }
}

impl<T> Drop for Ends<T> {
    fn drop(&mut self) {
        locked(&self.under_way).remove(&self.key);
    }
}

fn locked<T>(under_way: &UnderWay<T>) -> MutexGuard<'_, HashMap<SessionKey, watch::Receiver<Option<T>>>> {
    under_way.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::super::cookie::SessionId;
    use super::*;

    #[tokio::test]
    async fn each_session_has_one_run_at_a_time_and_none_is_left_over() {
        let flights = Flights::new(TaskTracker::new());
        let keys = [SessionId::random().key(), SessionId::random().key()];
        let first = flights.join(keys[0], || std::future::ready(1));
        let joined = flights.join(keys[0], || std::future::ready(2));
        let other = flights.join(keys[1], || std::future::ready(3));
        let panics = flights.join(SessionId::random().key(), || async { panic!("on purpose") });
        let results =
            [first.result().await, joined.result().await, other.result().await, panics.result().await];
        assert_eq!(results, [Some(1), Some(1), Some(3), None]);
        assert!(locked(&flights.under_way).is_empty());
        assert_eq!(flights.join(keys[0], || std::future::ready(4)).result().await, Some(4));
    }
}
