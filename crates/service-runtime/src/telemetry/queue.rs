//! A queue in front of somebody who may be slow, or not there at all: a collector, or whoever reads standard output.
//!
//! Whoever puts something in never waits: what there is no room for is dropped and counted. A thread of its own takes
//! out what is there and sends it, since whoever sends blocks. The SDK's own batch processors work alike, but do not tell
//! how much they dropped.
//!
//! The thread is woken by what comes first and by what makes a batch, and by nothing in between: to wake a thread costs
//! more than all the rest of this.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, Thread};

use opentelemetry_sdk::error::OTelSdkResult;
use tokio::runtime::Handle;
use tokio::time::Instant;

use super::delivery::Delivery;
use super::dropped::Dropped;
use super::variables::Limits;

/// What sends a batch, and waits until it is sent.
pub(super) trait Sink<T>: Send + 'static {
    fn send(&mut self, batch: Vec<T>) -> OTelSdkResult;
}

/// Puts things in.
#[derive(Debug)]
pub(super) struct Queue<T: Send + 'static> {
    sender: Sender<Message<T>>,
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
    /// Nothing more shall come.
    ends: AtomicBool,
}

#[derive(Debug)]
enum Message<T> {
    /// Something, and how much it is.
    Item(T, usize),
    /// Send what is there, say so, and end.
    End(Sender<()>),
}

impl<T: Send + 'static> Queue<T> {
    /// Begins a thread that sends what is put in. `signal` is what it is called in the log.
    pub(super) fn start(
        signal: &'static str,
        limits: Limits,
        dropped: Arc<Dropped>,
        sink: impl Sink<T>,
    ) -> std::io::Result<Self> {
        let (sender, receiver) = mpsc::channel();
        let state = Arc::new(State::default());
        let (shared, counted) = (Arc::clone(&state), Arc::clone(&dropped));
        let delivery = Delivery::of(signal);
        let worker = Worker { receiver, limits, sink, state: shared, dropped: counted, delivery };
        let runtime = Handle::try_current().ok();
        let thread = thread::Builder::new().name(signal.to_owned()).spawn(move || {
            // gRPC needs one, and not only where its exporter was made.
            let _inside = runtime.as_ref().map(Handle::enter);
            worker.run();
        })?;
        Ok(Self { sender, state, worker: thread.thread().clone(), limits, dropped })
    }

    /// Puts in what `make` makes, which counts as `weight`; if there is no room it is not even made.
    pub(super) fn put(&self, weight: usize, make: impl FnOnce() -> T) {
        let with_it = |waiting: usize| waiting.checked_add(weight).filter(|sum| *sum <= self.limits.queue);
        let Ok(before) = self.state.waiting.fetch_update(Ordering::Relaxed, Ordering::Relaxed, with_it)
        else {
            return self.dropped.queue_full(weight);
        };
        if self.sender.send(Message::Item(make(), weight)).is_err() {
            self.state.waiting.fetch_sub(weight, Ordering::Relaxed);
            return self.dropped.queue_full(weight);
        }
        if before == 0 || (before < self.limits.batch && before + weight >= self.limits.batch) {
            self.worker.unpark();
        }
    }

    /// Has what is there sent. The receiver hears when that is done.
    pub(super) fn end(&self) -> Receiver<()> {
        let (done, is_done) = mpsc::channel();
        // Without a worker there is nothing to wait for: the receiver hears that, too.
        let _ = self.sender.send(Message::End(done));
        self.state.ends.store(true, Ordering::Relaxed);
        self.worker.unpark();
        is_done
    }
}

impl<T: Send + 'static> Drop for Queue<T> {
    fn drop(&mut self) {
        let _ = self.end();
    }
}

struct Worker<T, S> {
    receiver: Receiver<Message<T>>,
    limits: Limits,
    sink: S,
    state: Arc<State>,
    dropped: Arc<Dropped>,
    delivery: Delivery,
}

impl<T, S: Sink<T>> Worker<T, S> {
    fn run(mut self) {
        loop {
            self.wait();
            if let Some(done) = self.take_out() {
                // First, so that what comes later finds nobody and is counted as dropped.
                drop(self);
                let _ = done.send(());
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

    /// Sends what is there, or a part of it if that fails. Gives whom to tell that nothing more will be, if this is the
    /// end.
    fn take_out(&mut self) -> Option<Sender<()>> {
        let (mut batch, mut weight, mut end) = (vec![], 0, None);
        while let Ok(message) = self.receiver.try_recv() {
            match message {
                Message::Item(item, its) => {
                    batch.push(item);
                    weight += its;
                }
                Message::End(done) => end = Some(done),
            }
            if weight >= self.limits.batch {
                self.send(std::mem::take(&mut batch), std::mem::take(&mut weight));
                if self.delivery.rest().is_some() && !self.ends() {
                    return end;
                }
            }
        }
        self.send(batch, weight);
        end
    }

    fn ends(&self) -> bool {
        self.state.ends.load(Ordering::Relaxed)
    }

    fn send(&mut self, batch: Vec<T>, weight: usize) {
        if batch.is_empty() {
            return;
        }
        let result = self.sink.send(batch);
        if result.is_err() {
            self.dropped.export_failed(weight);
        }
        self.delivery.went(result);
        // Not before it is gone: what is being sent takes room, too.
        self.state.waiting.fetch_sub(weight, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use opentelemetry_sdk::error::OTelSdkError;

    use super::*;

    struct Slow {
        /// Nothing is sent while somebody holds it.
        gate: Arc<Mutex<Vec<usize>>>,
        fails: bool,
    }

    impl Sink<u8> for Slow {
        fn send(&mut self, batch: Vec<u8>) -> OTelSdkResult {
            self.gate.lock().unwrap().push(batch.len());
            if self.fails { Err(OTelSdkError::AlreadyShutdown) } else { Ok(()) }
        }
    }

    fn start(fails: bool) -> (Queue<u8>, Arc<Mutex<Vec<usize>>>, Arc<Dropped>) {
        let (gate, dropped) = (Arc::new(Mutex::new(vec![])), Arc::new(Dropped::default()));
        let limits = Limits { queue: 100, batch: 30, delay: std::time::Duration::from_hours(1) };
        let sink = Slow { gate: Arc::clone(&gate), fails };
        (Queue::start("spans", limits, Arc::clone(&dropped), sink).unwrap(), gate, dropped)
    }

    #[test]
    fn who_is_stuck_costs_what_does_not_fit() {
        let (queue, gate, dropped) = start(false);
        let stuck = gate.lock().unwrap();
        for _ in 0..1000 {
            queue.put(2, || 7);
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
            queue.put(1, || 7);
        }
        queue.end().recv().unwrap();
        assert_eq!((gate.lock().unwrap().iter().sum::<usize>(), dropped.counts()), (7, (0, 0)));
        // Nobody takes it out any more.
        queue.put(1, || 7);
        assert_eq!(dropped.counts(), (1, 0));
    }

    #[test]
    fn what_is_not_taken_is_counted() {
        let (queue, _, dropped) = start(true);
        for _ in 0..100 {
            queue.put(1, || 7);
        }
        queue.end().recv().unwrap();
        let (full, failed) = dropped.counts();
        assert_eq!(full + failed, 100);
        assert!(failed >= 30, "{failed}");
    }
}
