//! Who waits for room, in which order and for how long.
//!
//! The bound on waiting is the controlled delay of Maurer, "Fail at Scale" (ACM Queue 13(8), 2015), after Nichols
//! and Jacobson, "Controlling Queue Delay" (ACM Queue 10(5), 2012). A queue that empties now and then absorbs a
//! burst and may be waited in; one that stands is overload, and waiting only makes every answer late.

use std::collections::BTreeMap;
use std::time::Duration;

use request_context::Priority;
use tokio::time::Instant;

/// A queue that was not empty for so long stands. Nobody waits longer.
const INTERVAL: Duration = Duration::from_millis(100);
/// A queue that stood does so until nobody was shed for so long: short waits empty it at times.
const CALM: Duration = Duration::from_millis(250);
/// The wait in a queue that stands.
const SHORT_WAIT: Duration = Duration::from_millis(5);

const PRIORITIES: [Priority; 3] = [Priority::Checkout, Priority::Page, Priority::Batch];

/// A place in the queue. The least is next, the greatest is the first to be pushed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ticket {
    pub(super) priority: Priority,
    number: u64,
}

/// The waiting, and since when. Each priority is delayed by those at or above it and by nobody else, so what
/// is said of a queue here is said of each priority's.
#[derive(Debug)]
pub(super) struct Queue<W> {
    waiting: BTreeMap<Ticket, W>,
    tickets: u64,
    /// Since when somebody waits.
    busy_since: [Option<Instant>; 3],
    /// How long a queue that stood is taken to stand.
    stands_until: [Option<Instant>; 3],
}

impl<W> Queue<W> {
    pub(super) fn new() -> Self {
        Self { waiting: BTreeMap::new(), tickets: 0, busy_since: [None; 3], stands_until: [None; 3] }
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// How long a newcomer waits who would wait for `longest`.
    pub(super) fn wait(&self, priority: Priority, longest: Duration, now: Instant) -> Duration {
        // To the most important all others give way: where the limit is small and the service slow, a moment would not
        // be enough for a place to become free.
        let for_a_moment = priority != Priority::Checkout && self.stands(priority, now);
        longest.min(if for_a_moment { SHORT_WAIT } else { INTERVAL })
    }

    /// Puts a newcomer into a queue of at most `room`. Where that is full, the last of less importance is pushed
    /// out and returned; where there is none, the newcomer is refused.
    pub(super) fn join(
        &mut self,
        priority: Priority,
        room: usize,
        now: Instant,
        waiter: W,
    ) -> Option<(Ticket, Option<W>)> {
        let mut pushed_out = None;
        if self.waiting.len() >= room {
            let last = self.waiting.last_entry().filter(|last| last.key().priority > priority)?;
            pushed_out = Some(last.remove());
        }
        self.tickets += 1;
        let ticket = Ticket { priority, number: self.tickets };
        self.waiting.insert(ticket, waiter);
        self.note_busy(now);
        Some((ticket, pushed_out))
    }

    /// The next one's priority.
    pub(super) fn next(&self) -> Option<Priority> {
        self.waiting.first_key_value().map(|(ticket, _)| ticket.priority)
    }

    /// Takes the next one out.
    pub(super) fn pop(&mut self, now: Instant) -> Option<W> {
        let (_, waiter) = self.waiting.pop_first()?;
        self.note_busy(now);
        Some(waiter)
    }

    /// Takes out one that no longer waits, if it is there.
    pub(super) fn remove(&mut self, ticket: Ticket, now: Instant) -> Option<W> {
        let waiter = self.waiting.remove(&ticket)?;
        self.note_busy(now);
        Some(waiter)
    }

    /// A call of `priority` was shed.
    pub(super) fn shed(&mut self, priority: Priority, now: Instant) {
        if self.stands(priority, now) {
            self.stands_until[priority as usize] = Some(now + CALM);
        }
    }

    fn stands(&self, priority: Priority, now: Instant) -> bool {
        self.busy_since[priority as usize].is_some_and(|since| now.duration_since(since) >= INTERVAL)
            || self.stands_until[priority as usize].is_some_and(|until| now < until)
    }

    fn note_busy(&mut self, now: Instant) {
        let next = self.next();
        for priority in PRIORITIES {
            let since = &mut self.busy_since[priority as usize];
            if next.is_some_and(|next| next <= priority) {
                since.get_or_insert(now);
            } else {
                *since = None;
            }
        }
    }
}
