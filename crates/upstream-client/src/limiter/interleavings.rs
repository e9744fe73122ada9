//! What holds whatever is done with a limiter, in whatever order.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use proptest::prelude::*;
use request_context::Priority;
use tokio::time::{Instant, advance};

use super::places::Permit;
use super::{Limiter, LimiterSettings, Outcome, Shed};

const MILLI: Duration = Duration::from_millis(1);

#[derive(Clone, Debug)]
enum Act {
    Acquire(Priority, u32),
    Try(Priority),
    /// One of those that are held is dropped, or finished with an outcome.
    Release(usize, Option<Outcome>),
    /// One of those that wait is dropped.
    Cancel(usize),
    Pass(u32),
}

fn act() -> impl Strategy<Value = Act> {
    let priority = || prop::sample::select(vec![Priority::Checkout, Priority::Page, Priority::Batch]);
    let outcome = prop::sample::select(vec![Outcome::Success, Outcome::Overloaded, Outcome::Ignored]);
    prop_oneof![
        6 => (priority(), 0..150_u32).prop_map(|(priority, wait)| Act::Acquire(priority, wait)),
        1 => priority().prop_map(Act::Try),
        4 => (any::<usize>(), prop::option::of(outcome)).prop_map(|(one, outcome)| Act::Release(one, outcome)),
        1 => any::<usize>().prop_map(Act::Cancel),
        1 => (1..60_u32).prop_map(Act::Pass),
    ]
}

#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

struct Waiter {
    priority: Priority,
    until: Instant,
    /// It is polled only when it was woken: a lost wake-up is seen.
    woken: Arc<Woken>,
    future: Pin<Box<dyn Future<Output = Result<Permit, Shed>>>>,
}

struct World {
    limiter: Arc<Limiter>,
    waiting: Vec<Waiter>,
    held: Vec<Permit>,
}

impl World {
    fn new() -> Self {
        let settings = LimiterSettings { most: 8, initial: 8, ..LimiterSettings::default() };
        Self { limiter: Limiter::new(settings), waiting: Vec::new(), held: Vec::new() }
    }

    async fn act(&mut self, act: Act) {
        match act {
            Act::Acquire(priority, wait) => self.acquire(priority, wait * MILLI),
            Act::Try(priority) => {
                let before = self.held.len();
                self.held.extend(self.limiter.try_acquire(priority));
                self.check_admitted(before);
            }
            Act::Release(one, outcome) if !self.held.is_empty() => {
                let permit = self.held.swap_remove(one % self.held.len());
                match outcome {
                    Some(outcome) => permit.finished(outcome),
                    None => drop(permit),
                }
            }
            Act::Cancel(one) if !self.waiting.is_empty() => {
                drop(self.waiting.remove(one % self.waiting.len()));
            }
            Act::Pass(millis) => {
                for _ in 0..millis {
                    advance(MILLI).await;
                    self.poll();
                    self.check();
                }
            }
            Act::Release(..) | Act::Cancel(_) => {}
        }
        let before = self.held.len();
        self.poll();
        self.check();
        self.check_admitted(before);
    }

    fn acquire(&mut self, priority: Priority, wait: Duration) {
        let before = self.held.len();
        let limiter = Arc::clone(&self.limiter);
        let future = Box::pin(async move { limiter.acquire(priority, wait).await });
        let woken = Arc::new(Woken(AtomicBool::new(true)));
        self.waiting.push(Waiter { priority, until: Instant::now() + wait, woken, future });
        let shed = self.poll();
        self.check_admitted(before);

        let last = self.waiting.iter().map(|waiter| waiter.priority).max();
        let without_time = wait.is_zero() && shed == [priority];
        if !shed.is_empty() && !without_time {
            // Refused or pushed out, it was the least important.
            assert!(shed.len() == 1 && last.is_none_or(|last| last <= shed[0]), "{shed:?} before {last:?}");
        }
    }

    /// Polls who was woken, until nobody is. Returns who was shed.
    fn poll(&mut self) -> Vec<Priority> {
        let mut shed = Vec::new();
        while let Some(one) =
            self.waiting.iter().position(|waiter| waiter.woken.0.swap(false, Ordering::Relaxed))
        {
            let waiter = &mut self.waiting[one];
            let waker = Waker::from(waiter.woken.clone());
            match waiter.future.as_mut().poll(&mut Context::from_waker(&waker)) {
                Poll::Pending => continue,
                Poll::Ready(Ok(permit)) => self.held.push(permit),
                Poll::Ready(Err(Shed)) => shed.push(waiter.priority),
            }
            self.waiting.remove(one);
        }
        shed
    }

    fn check_admitted(&self, before: usize) {
        assert!(self.held.len() <= before || self.held.len() <= self.limiter.state().limit, "over the limit");
    }

    fn check(&self) {
        let state = self.limiter.state();
        assert_eq!(state.in_flight, self.held.len());
        assert_eq!(state.queued, self.waiting.len());
        // A timer of tokio's may be a millisecond late.
        assert!(
            self.waiting.iter().all(|waiter| Instant::now() <= waiter.until + 2 * MILLI),
            "waits too long"
        );
        let room = |priority| match priority {
            Priority::Checkout => state.limit,
            Priority::Page => state.limit * 9 / 10,
            Priority::Batch => state.limit * 7 / 10,
        };
        for waiter in &self.waiting {
            assert!(
                state.in_flight >= room(waiter.priority),
                "{:?} waits before a free place",
                waiter.priority
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    // 120 acts take less than the time after which a limit steps back.
    #[test]
    fn every_place_is_used_and_returned(acts in prop::collection::vec(act(), 1..120)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let mut world = World::new();
            for act in acts {
                world.act(act).await;
            }
            world.waiting.clear();
            world.held.clear();
            let state = world.limiter.state();
            prop_assert_eq!((state.in_flight, state.queued), (0, 0));
            Ok(())
        })?;
    }
}
