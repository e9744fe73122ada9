//! A queue in front of somebody who may be slow, or not there at all: a collector, or whoever reads standard output.
//!
//! Whoever puts something in never waits: what there is no room for is dropped and counted. A thread of its own takes
//! out what is there and sends it, since whoever sends blocks. The SDK's own batch processors work alike, but do not tell
//! how much they dropped.
//!
//! What waits are the bytes that will be sent, one behind the other: what is made of many small things would be taken
//! apart by another thread than made it. That thread is woken by what comes first and by what makes a batch, and by
//! nothing in between: to wake a thread costs more than all the rest of this.

use std::cell::Cell;
use std::collections::VecDeque;
use std::mem;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread};

use tokio::time::Instant;

use super::delivery::Delivery;
use super::dropped::Dropped;
use super::variables::Limits;
use crate::BuildError;

thread_local! {
    /// Where something is written before it is known that it is whole.
    static DRAFT: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// What sends a batch, and waits until it is sent.
pub(super) trait Sink: Send + 'static {
    /// Gives how many of the batch were not taken.
    fn send(&mut self, batch: &[u8]) -> Result<usize, BuildError>;
}

/// Puts things in.
#[derive(Debug)]
pub(super) struct Queue {
    state: Arc<State>,
    worker: Thread,
    limits: Limits,
    dropped: Arc<Dropped>,
}

/// What both sides know.
#[derive(Debug, Default)]
struct State {
    /// How much there is, what is being sent included.
    waiting: AtomicUsize,
    /// What is there is to be sent at once.
    ends: AtomicBool,
    batches: Mutex<Batches>,
}

#[derive(Debug, Default)]
struct Batches {
    all: VecDeque<Batch>,
    /// What was sent, for what will be.
    spare: Vec<u8>,
    /// Who waits for the end.
    waits: Vec<Sender<()>>,
    ended: bool,
}

#[derive(Debug, Default)]
struct Batch {
    bytes: Vec<u8>,
    weight: usize,
}

impl Queue {
    /// Begins a thread that sends what is put in. `signal` is what it is called in the log.
    pub(super) fn start(
        signal: &'static str,
        limits: Limits,
        dropped: Arc<Dropped>,
        sink: impl Sink,
    ) -> std::io::Result<Self> {
        let state = Arc::new(State::default());
        let (shared, counted) = (Arc::clone(&state), Arc::clone(&dropped));
        let worker = Worker { limits, sink, state: shared, dropped: counted, delivery: Delivery::of(signal) };
        let thread = thread::Builder::new().name(signal.to_owned()).spawn(|| worker.run())?;
        Ok(Self { state, worker: thread.thread().clone(), limits, dropped })
    }

    /// Puts in what `write` appends, which counts as `weight`; if there is no room it is not even written.
    pub(super) fn put(&self, weight: usize, write: impl FnOnce(&mut Vec<u8>)) {
        let with_it = |waiting: usize| waiting.checked_add(weight).filter(|sum| *sum <= self.limits.queue);
        let Ok(before) = self.state.waiting.fetch_update(Ordering::Relaxed, Ordering::Relaxed, with_it)
        else {
            return self.dropped.queue_full(weight);
        };
        // Taken, not borrowed: to write something may put something else in. A thread that ends has none.
        let mut draft = DRAFT.try_with(Cell::take).unwrap_or_default();
        draft.clear();
        write(&mut draft);
        let ended = self.state.batches().add(&draft, weight, self.limits.batch).is_err();
        let _ = DRAFT.try_with(|kept| kept.set(draft));
        if ended {
            self.state.waiting.fetch_sub(weight, Ordering::Relaxed);
            return self.dropped.queue_full(weight);
        }
        if before == 0 || (before < self.limits.batch && before + weight >= self.limits.batch) {
            self.worker.unpark();
        }
    }

    /// Has what is there sent, and takes nothing more. The receiver hears when that is done.
    pub(super) fn end(&self) -> Receiver<()> {
        let (done, is_done) = mpsc::channel();
        // Where everything has ended there is nothing to wait for: the receiver hears that, too.
        let mut batches = self.state.batches();
        if !batches.ended {
            batches.waits.push(done);
        }
        drop(batches);
        self.state.ends.store(true, Ordering::Relaxed);
        self.worker.unpark();
        is_done
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        let _ = self.end();
    }
}

impl State {
    fn batches(&self) -> MutexGuard<'_, Batches> {
        self.batches.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Nobody takes anything out any more.
struct Ended;

impl Batches {
    /// Adds to the last batch, or to a new one if that would have more than `most`.
    fn add(&mut self, bytes: &[u8], weight: usize, most: usize) -> Result<(), Ended> {
        if self.ended {
            return Err(Ended);
        }
        if self.all.back().is_none_or(|last| last.weight + weight > most) {
            self.all.push_back(Batch { bytes: mem::take(&mut self.spare), weight: 0 });
        }
        if let Some(last) = self.all.back_mut() {
            last.bytes.extend_from_slice(bytes);
            last.weight += weight;
        }
        Ok(())
    }
}

struct Worker<S> {
    limits: Limits,
    sink: S,
    state: Arc<State>,
    dropped: Arc<Dropped>,
    delivery: Delivery,
}

impl<S: Sink> Worker<S> {
    fn run(mut self) {
        loop {
            self.wait();
            while let Some(batch) = self.next() {
                self.send(batch);
                if self.delivery.rest().is_some() && !self.ends() {
                    break;
                }
            }
            if self.ends() && self.has_ended() {
                return;
            }
        }
    }

    /// Until there is a batch, or something has waited for one long enough; or until whoever failed has had its rest.
    fn wait(&self) {
        let (waiting, rest) = (|| self.state.waiting.load(Ordering::Relaxed), self.delivery.rest());
        while waiting() == 0 && !self.ends() {
            thread::park();
        }
        let due = Instant::now() + rest.unwrap_or(self.limits.delay);
        while !self.ends() && (rest.is_some() || waiting() < self.limits.batch) {
            let patience = due.saturating_duration_since(Instant::now());
            if patience.is_zero() {
                return;
            }
            thread::park_timeout(patience);
        }
    }

    fn ends(&self) -> bool {
        self.state.ends.load(Ordering::Relaxed)
    }

    fn next(&self) -> Option<Batch> {
        self.state.batches().all.pop_front()
    }

    /// Ends, unless something has come meanwhile, and says so.
    fn has_ended(&self) -> bool {
        let mut batches = self.state.batches();
        batches.ended = batches.all.is_empty();
        if batches.ended {
            for done in batches.waits.drain(..) {
                let _ = done.send(());
            }
        }
        batches.ended
    }

    fn send(&mut self, mut batch: Batch) {
        let result = self.sink.send(&batch.bytes);
        self.dropped.export_failed(*result.as_ref().unwrap_or(&batch.weight));
        self.delivery.went(result);
        // Not before it is gone: what is being sent takes room, too.
        self.state.waiting.fetch_sub(batch.weight, Ordering::Relaxed);
        batch.bytes.clear();
        self.state.batches().spare = batch.bytes;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    struct Slow {
        /// Nothing is sent while somebody holds it.
        gate: Arc<Mutex<Vec<usize>>>,
        fails: bool,
    }

    impl Sink for Slow {
        fn send(&mut self, batch: &[u8]) -> Result<usize, BuildError> {
            self.gate.lock().unwrap().push(batch.len());
            if self.fails { Err("nobody takes it".into()) } else { Ok(0) }
        }
    }

    fn start(fails: bool) -> (Queue, Arc<Mutex<Vec<usize>>>, Arc<Dropped>) {
        let (gate, dropped) = (Arc::new(Mutex::new(vec![])), Arc::new(Dropped::default()));
        let limits = Limits { queue: 100, batch: 30, delay: Duration::from_hours(1) };
        let sink = Slow { gate: Arc::clone(&gate), fails };
        (Queue::start("spans", limits, Arc::clone(&dropped), sink).unwrap(), gate, dropped)
    }

    #[test]
    fn who_is_stuck_costs_what_does_not_fit() {
        let (queue, gate, dropped) = start(false);
        let stuck = gate.lock().unwrap();
        for _ in 0..1000 {
            queue.put(2, |to| to.push(7));
        }
        assert_eq!(dropped.counts(), (1900, 0));
        drop(stuck);
        queue.end().recv().unwrap();
        assert_eq!(gate.lock().unwrap().iter().sum::<usize>(), 50);
        assert!(gate.lock().unwrap().iter().all(|batch| *batch <= 15));
    }

    #[test]
    fn nothing_is_left_at_the_end() {
        let (queue, gate, dropped) = start(false);
        for _ in 0..7 {
            queue.put(1, |to| to.push(7));
        }
        queue.end().recv().unwrap();
        assert_eq!((gate.lock().unwrap().iter().sum::<usize>(), dropped.counts()), (7, (0, 0)));
        // Nobody takes it out any more.
        queue.put(1, |to| to.push(7));
        assert_eq!(dropped.counts(), (1, 0));
        assert!(queue.end().recv().is_err());
    }

    #[test]
    fn what_is_not_taken_is_counted() {
        let (queue, _, dropped) = start(true);
        for _ in 0..100 {
            queue.put(1, |to| to.push(7));
        }
        queue.end().recv().unwrap();
        let (full, failed) = dropped.counts();
        assert_eq!(full + failed, 100);
        assert!(failed >= 30, "{failed}");
    }

    #[test]
    fn what_is_more_than_a_batch_is_one_of_its_own() {
        let (queue, gate, dropped) = start(false);
        for weight in [1, 40, 1] {
            queue.put(weight, |to| to.push(7));
        }
        queue.end().recv().unwrap();
        assert_eq!((gate.lock().unwrap().len(), dropped.counts()), (3, (0, 0)));
    }
}
