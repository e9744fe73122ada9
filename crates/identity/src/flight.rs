//! Coalescing: one run at a time of a task that many wait for.

use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;

/// The latest run of a task. A run is spawned, so that whoever began it can leave without stranding the rest.
pub(crate) struct Flight<T>(Mutex<Option<Landing<T>>>);

/// The end of a run.
#[derive(Clone)]
pub(crate) struct Landing<T>(watch::Receiver<Option<T>>);

impl<T> Default for Flight<T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<T: Clone + Send + Sync + 'static> Flight<T> {
    /// Joins the run that is under way or else begins the one that `start` gives; `None` if it gives none.
    pub(crate) fn join<F>(&self, start: impl FnOnce() -> Option<F>) -> Option<Landing<T>>
    where
        F: Future<Output = T> + Send + 'static,
    {
        let mut latest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(landing) = latest.as_ref().filter(|landing| landing.is_ahead()) {
            return Some(landing.clone());
        }
        let run = start()?;
        let (sender, receiver) = watch::channel(None);
        tokio::spawn(async move { sender.send_replace(Some(run.await)) });
        Some(latest.insert(Landing(receiver)).clone())
    }
}

impl<T: Clone> Landing<T> {
    /// The result of the run; `None` if it panicked.
    pub(crate) async fn result(mut self) -> Option<T> {
        self.0.wait_for(Option::is_some).await.ok()?.clone()
    }

    /// Whether the run is still under way: it has no result, and can still have one.
    fn is_ahead(&self) -> bool {
        self.0.borrow().is_none() && self.0.has_changed().is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::Semaphore;

    use super::*;

    struct Task {
        flight: Flight<usize>,
        runs: AtomicUsize,
        gate: Semaphore,
    }

    impl Task {
        fn new() -> Arc<Self> {
            let (flight, runs, gate) = (Flight::default(), AtomicUsize::new(0), Semaphore::new(0));
            Arc::new(Self { flight, runs, gate })
        }

        fn join(self: &Arc<Self>) -> Landing<usize> {
            let task = self.clone();
            let run = async move {
                task.gate.acquire().await.unwrap().forget();
                task.runs.fetch_add(1, Ordering::Relaxed) + 1
            };
            self.flight.join(|| Some(run)).unwrap()
        }
    }

    #[tokio::test]
    async fn those_who_come_during_a_run_share_it_and_the_next_begins_another() {
        let task = Task::new();
        let waiting: Vec<_> = (0..100).map(|_| tokio::spawn(task.join().result())).collect();
        task.gate.add_permits(1);
        for waiter in waiting {
            assert_eq!(waiter.await.unwrap(), Some(1));
        }
        task.gate.add_permits(1);
        assert_eq!(task.join().result().await, Some(2));
    }

    #[tokio::test]
    async fn the_first_may_leave_without_stranding_the_rest() {
        let task = Task::new();
        let leader = tokio::spawn(task.join().result());
        let follower = tokio::spawn(task.join().result());
        tokio::task::yield_now().await;
        leader.abort();
        task.gate.add_permits(1);
        assert_eq!(follower.await.unwrap(), Some(1));
    }

    #[tokio::test]
    async fn a_panic_ends_the_run_and_not_the_flight() {
        let flight = Flight::<usize>::default();
        let panics = async { panic!("this run fails on purpose") };
        assert_eq!(flight.join(|| Some(panics)).unwrap().result().await, None);
        let works = std::future::ready(1);
        assert_eq!(flight.join(|| Some(works)).unwrap().result().await, Some(1));
    }
}
