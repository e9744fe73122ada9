//! The hand-over of a place on threads, under a scheduler that tries what can happen and replays what went wrong.
//!
//! A failure prints the schedule, for `shuttle::replay`. A wait that never ends is a deadlock to the scheduler.

use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use request_context::Priority::{self, Batch, Checkout, Page};
use shuttle::future::block_on;
use shuttle::thread;

use super::{LimiterSettings, LimiterState, Outcome, Shed, ShedCounts, gradient, queue};
use places::{Entry, Limiter, Permit};

#[path = "places.rs"]
#[expect(clippy::duplicate_mod, dead_code, reason = "the second copy of the file, on the scheduler's locks")]
mod places;

mod sync {
    pub(super) use shuttle::sync::Mutex;

    /// A channel before whose use others may run.
    pub(super) mod oneshot {
        use shuttle::thread::yield_now;
        use tokio::sync::oneshot;
        pub(in super::super) use tokio::sync::oneshot::Receiver;

        #[derive(Debug)]
        pub(in super::super) struct Sender<T>(oneshot::Sender<T>);

        impl<T> Sender<T> {
            pub(in super::super) fn send(self, value: T) -> Result<(), T> {
                yield_now();
                self.0.send(value)
            }
        }

        pub(in super::super) fn channel<T>() -> (Sender<T>, Receiver<T>) {
            let (sender, receiver) = oneshot::channel();
            (Sender(sender), receiver)
        }
    }
}

const LONG: Duration = Duration::from_mins(1);

fn limiter(most: usize) -> Arc<Limiter> {
    Limiter::new(LimiterSettings { most, initial: most, ..LimiterSettings::default() })
}

/// Waits however long it takes.
fn wait(limiter: &Arc<Limiter>, priority: Priority) -> Result<Permit, Shed> {
    match limiter.enter(priority, LONG) {
        Entry::Free(permit) => Ok(permit),
        Entry::Queued(waiting) => block_on(waiting),
        Entry::Full => Err(Shed),
    }
}

/// Begins to wait and then leaves, granted or not.
fn wait_and_leave(limiter: &Arc<Limiter>, priority: Priority) {
    if let Entry::Queued(mut waiting) = limiter.enter(priority, LONG) {
        let mut cx = Context::from_waker(Waker::noop());
        let _ = Future::poll(std::pin::Pin::new(&mut waiting), &mut cx);
        thread::yield_now();
    }
}

/// On every schedule tried, all of `threads` end and nothing is left behind.
fn on_threads(most: usize, threads: &'static [fn(&Arc<Limiter>)]) {
    let run = move || {
        let limiter = limiter(most);
        let held: Vec<_> = (0..most).filter_map(|_| limiter.try_acquire(Checkout)).collect();
        let running: Vec<_> = threads
            .iter()
            .map(|act| {
                let limiter = Arc::clone(&limiter);
                thread::spawn(move || act(&limiter))
            })
            .collect();
        for permit in held {
            permit.finished(Outcome::Overloaded);
        }
        for thread in running {
            thread.join().unwrap();
        }
        let state = limiter.state();
        assert_eq!((state.in_flight, state.queued), (0, 0));
    };
    shuttle::check_random(run, 2_000);
    shuttle::check_pct(run, 2_000, 3);
}

#[test]
fn a_grant_that_crosses_a_cancellation_goes_to_the_next() {
    on_threads(
        3,
        &[
            |limiter| wait_and_leave(limiter, Checkout),
            |limiter| wait_and_leave(limiter, Checkout),
            |limiter| drop(wait(limiter, Checkout).unwrap()),
        ],
    );
}

#[test]
fn one_that_is_pushed_out_and_one_that_is_granted_both_learn_it() {
    on_threads(
        1,
        &[
            |limiter| drop(wait(limiter, Batch)),
            |limiter| drop(wait(limiter, Page)),
            |limiter| drop(wait(limiter, Checkout)),
        ],
    );
}

#[test]
fn what_is_taken_without_waiting_returns_to_those_who_wait() {
    on_threads(
        1,
        &[
            |limiter| drop(limiter.try_acquire(Batch)),
            |limiter| wait_and_leave(limiter, Page),
            |limiter| drop(wait(limiter, Checkout).unwrap()),
        ],
    );
}
