//! The places of a limiter: taken, returned, handed over.
//!
//! A place that is given to somebody is a [`Permit`] from then on, in the channel as in the hand: wherever it is
//! dropped, the next one gets it. So a grant that crosses a cancellation cannot be lost.

use std::pin::Pin;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use request_context::Priority;
use tokio::time::{Instant, timeout_at};

use super::gradient::Gradient;
use super::queue::{Queue, Ticket};
use super::sync::{Mutex, oneshot};
use super::{LimiterSettings, LimiterState, Outcome, Shed, ShedCounts};

/// So many may wait. It bounds memory alone: how long they wait is bounded by time, and where a service is fast, many are
/// served within it.
pub(super) const MOST_WAITING: usize = 1_000;

/// The concurrency limit of one service, shared by all who call it.
#[derive(Debug)]
pub(crate) struct Limiter(Mutex<Places>);

#[derive(Debug)]
struct Places {
    limit: Gradient,
    in_flight: usize,
    queue: Queue<oneshot::Sender<Permit>>,
    shed: ShedCounts,
}

/// Leave to make one call. Its place returns when it is dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    limiter: Arc<Limiter>,
    since: Instant,
    outcome: Outcome,
}

/// What a newcomer meets.
#[derive(Debug)]
pub(super) enum Entry {
    Free(Permit),
    Queued(Waiting),
    Full,
}

/// A place in the queue, and what comes of it. Dropping it leaves the queue.
#[derive(Debug)]
pub(super) struct Waiting {
    limiter: Arc<Limiter>,
    ticket: Ticket,
    until: Instant,
    granted: oneshot::Receiver<Permit>,
}

impl Limiter {
    /// A limiter at its initial limit.
    pub(crate) fn new(settings: LimiterSettings) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Places {
            limit: Gradient::new(settings, Instant::now()),
            in_flight: 0,
            queue: Queue::new(),
            shed: ShedCounts::default(),
        })))
    }

    /// Leave to make a call, now or after waiting for at most `longest_wait`.
    pub(crate) async fn acquire(
        self: &Arc<Self>,
        priority: Priority,
        longest_wait: Duration,
    ) -> Result<Permit, Shed> {
        let granted = match self.enter(priority, longest_wait) {
            Entry::Free(permit) => return Ok(permit),
            Entry::Queued(waiting) => timeout_at(waiting.until, waiting).await.unwrap_or(Err(Shed)),
            Entry::Full => Err(Shed),
        };
        if granted.is_err() {
            self.with(|places| places.count_shed(priority, Instant::now()));
        }
        granted
    }

    /// Leave to make a call if there is room now: for what may as well not be done. It never waits, and what
    /// it is refused is not counted as shed.
    pub(crate) fn try_acquire(self: &Arc<Self>, priority: Priority) -> Option<Permit> {
        self.with(|places| places.enter(priority)).then(|| self.permit(Instant::now()))
    }

    /// What is going on.
    pub(crate) fn state(&self) -> LimiterState {
        self.with(|places| LimiterState {
            limit: places.limit.get(),
            in_flight: places.in_flight,
            queued: places.queue.len(),
            shed: places.shed,
        })
    }

    pub(super) fn enter(self: &Arc<Self>, priority: Priority, longest_wait: Duration) -> Entry {
        let now = Instant::now();
        let wait = self.with(|places| {
            if places.enter(priority) {
                return Ok(());
            }
            let wait = places.queue.wait(priority, longest_wait, now);
            Err((wait, (!wait.is_zero()).then(|| places.join(priority, now)).flatten()))
        });
        match wait {
            Ok(()) => Entry::Free(self.permit(now)),
            Err((wait, Some(Joined { ticket, granted, pushed_out }))) => {
                drop(pushed_out); // wakes it, which is not for under the lock
                Entry::Queued(Waiting { limiter: Arc::clone(self), ticket, until: now + wait, granted })
            }
            Err((_, None)) => Entry::Full,
        }
    }

    fn release(self: &Arc<Self>, since: Instant, outcome: Outcome) {
        let now = Instant::now();
        let grants = self.with(|places| places.leave(now, now.duration_since(since), outcome));
        for grant in grants {
            // To one that has left in the meantime it cannot be sent: dropped here, it goes to the next.
            drop(grant.send(self.permit(now)));
        }
    }

    fn permit(self: &Arc<Self>, since: Instant) -> Permit {
        Permit { limiter: Arc::clone(self), since, outcome: Outcome::Ignored }
    }

    fn with<T>(&self, act: impl FnOnce(&mut Places) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A newcomer that waits now, and whom it pushed out.
struct Joined {
    ticket: Ticket,
    granted: oneshot::Receiver<Permit>,
    pushed_out: Option<oneshot::Sender<Permit>>,
}

/// What happens under the lock. Nothing here wakes or drops what is not ours.
impl Places {
    /// Takes a place if there is one. Nobody is overtaken by it: whoever waits has no room.
    fn enter(&mut self, priority: Priority) -> bool {
        let free = self.in_flight < self.share(priority);
        self.in_flight += usize::from(free);
        free
    }

    fn join(&mut self, priority: Priority, now: Instant) -> Option<Joined> {
        let (grant, granted) = oneshot::channel();
        let (ticket, pushed_out) = self.queue.join(priority, MOST_WAITING, now, grant)?;
        Some(Joined { ticket, granted, pushed_out })
    }

    /// Gives a place back and returns those to whom there is room now.
    fn leave(&mut self, now: Instant, latency: Duration, outcome: Outcome) -> Vec<oneshot::Sender<Permit>> {
        match outcome {
            Outcome::Success => self.limit.answered(now, latency, self.in_flight),
            Outcome::Overloaded => self.limit.overloaded(now, self.in_flight),
            Outcome::Ignored => {}
        }
        self.in_flight -= 1;
        let mut grants = Vec::new();
        while self.queue.next().is_some_and(|priority| self.enter(priority)) {
            grants.extend(self.queue.pop(now));
        }
        grants
    }

    /// Below how many calls one more of `priority` may begin. What is above is kept for the more important, so that
    /// the least important is shed first.
    fn share(&self, priority: Priority) -> usize {
        let share = match priority {
            Priority::Checkout => self.limit.get(),
            Priority::Page => self.limit.stepped_back() * 9 / 10,
            Priority::Batch => self.limit.stepped_back() * 7 / 10,
        };
        share.max(1)
    }

    fn count_shed(&mut self, priority: Priority, now: Instant) {
        *match priority {
            Priority::Checkout => &mut self.shed.checkout,
            Priority::Page => &mut self.shed.page,
            Priority::Batch => &mut self.shed.batch,
        } += 1;
        self.queue.shed(priority, now);
    }
}

impl Permit {
    /// Returns the place, and tells how the call went.
    pub(crate) fn finished(mut self, outcome: Outcome) {
        self.outcome = outcome;
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.limiter.release(self.since, self.outcome);
    }
}

impl Future for Waiting {
    type Output = Result<Permit, Shed>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.granted).poll(cx).map_err(|_pushed_out| Shed)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let now = Instant::now();
        let grant = self.limiter.with(|places| places.queue.remove(self.ticket, now));
        drop(grant);
    }
}
