//! A queue in front of a collector that may be slow, or not there at all.
//!
//! Whoever puts something in never waits: what there is no room for is dropped and counted. A thread of its own takes
//! out what is there and sends it, since the exporters block. The SDK's own batch processors work alike, but do not tell
//! how much they dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use opentelemetry_sdk::error::OTelSdkResult;
use tokio::runtime::Handle;
use tokio::time::Instant;
use tracing::{info, warn};

use super::dropped::Dropped;
use super::variables::Limits;

/// An exporter that keeps failing is spoken of this often.
const BETWEEN_REPORTS: Duration = Duration::from_mins(1);

/// What sends a batch, and waits until it is sent.
pub(super) trait Sink<T>: Send + 'static {
    fn send(&mut self, batch: Vec<T>) -> OTelSdkResult;
}

/// Puts things in. A clone is the same queue.
#[derive(Debug)]
pub(super) struct Queue<T> {
    sender: Sender<Message<T>>,
    waiting: Arc<AtomicUsize>,
    most: usize,
    dropped: Arc<Dropped>,
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
        let waiting = Arc::new(AtomicUsize::new(0));
        let (left, counted) = (Arc::clone(&waiting), Arc::clone(&dropped));
        let worker =
            Worker { signal, receiver, limits, sink, waiting: left, dropped: counted, failing: None };
        let runtime = Handle::try_current().ok();
        thread::Builder::new().name(signal.to_owned()).spawn(move || {
            // gRPC needs one, and not only where its exporter was made.
            let _inside = runtime.as_ref().map(Handle::enter);
            worker.run();
        })?;
        Ok(Self { sender, waiting, most: limits.queue, dropped })
    }

    /// Puts something in that counts as `weight`, or drops it.
    pub(super) fn put(&self, item: T, weight: usize) {
        let before = self.waiting.fetch_add(weight, Ordering::Relaxed);
        if before + weight > self.most || self.sender.send(Message::Item(item, weight)).is_err() {
            self.waiting.fetch_sub(weight, Ordering::Relaxed);
            self.dropped.queue_full(weight);
        }
    }

    /// Has what is there sent. The receiver hears when that is done.
    pub(super) fn end(&self) -> Receiver<()> {
        let (done, is_done) = mpsc::channel();
        // Without a worker there is nothing to wait for: the receiver hears that, too.
        let _ = self.sender.send(Message::End(done));
        is_done
    }
}

struct Worker<T, S> {
    signal: &'static str,
    receiver: Receiver<Message<T>>,
    limits: Limits,
    sink: S,
    waiting: Arc<AtomicUsize>,
    dropped: Arc<Dropped>,
    /// When it was last said that nothing can be sent, if it cannot.
    failing: Option<Instant>,
}

impl<T, S: Sink<T>> Worker<T, S> {
    fn run(mut self) {
        while let Ok(first) = self.receiver.recv() {
            let (mut batch, mut weight, mut end) = (vec![], 0, None);
            let due = Instant::now() + self.limits.delay;
            let mut next = Ok(first);
            loop {
                match next {
                    Ok(Message::Item(item, its)) => {
                        batch.push(item);
                        weight += its;
                    }
                    Ok(Message::End(done)) => end = Some(done),
                    Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
                }
                if weight >= self.limits.batch {
                    break;
                }
                let patience = if end.is_some() { Duration::ZERO } else { due - Instant::now() };
                next = self.receiver.recv_timeout(patience);
            }
            self.send(batch, weight);
            if let Some(done) = end {
                self.rest();
                // First, so that what comes later finds nobody and is counted as dropped.
                drop(self);
                let _ = done.send(());
                return;
            }
        }
    }

    /// Sends what is still there.
    fn rest(&mut self) {
        let (mut batch, mut weight) = (vec![], 0);
        while let Ok(message) = self.receiver.try_recv() {
            if let Message::Item(item, its) = message {
                batch.push(item);
                weight += its;
            }
            if weight >= self.limits.batch {
                self.send(std::mem::take(&mut batch), std::mem::take(&mut weight));
            }
        }
        self.send(batch, weight);
    }

    fn send(&mut self, batch: Vec<T>, weight: usize) {
        if batch.is_empty() {
            return;
        }
        match self.sink.send(batch) {
            Ok(()) => {
                if self.failing.take().is_some() {
                    info!(signal = self.signal, "telemetry is exported again");
                }
            }
            Err(error) => {
                self.dropped.export_failed(weight);
                if self.failing.is_none_or(|reported| reported.elapsed() >= BETWEEN_REPORTS) {
                    self.failing = Some(Instant::now());
                    warn!(signal = self.signal, %error, "telemetry cannot be exported and is dropped");
                }
            }
        }
        // Not before it is gone: what is being sent takes room, too.
        self.waiting.fetch_sub(weight, Ordering::Relaxed);
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
        let limits = Limits { queue: 100, batch: 30, delay: Duration::from_hours(1) };
        let sink = Slow { gate: Arc::clone(&gate), fails };
        (Queue::start("spans", limits, Arc::clone(&dropped), sink).unwrap(), gate, dropped)
    }

    #[test]
    fn who_is_stuck_costs_what_does_not_fit() {
        let (queue, gate, dropped) = start(false);
        let stuck = gate.lock().unwrap();
        for _ in 0..1000 {
            queue.put(7, 2);
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
            queue.put(7, 1);
        }
        queue.end().recv().unwrap();
        assert_eq!((gate.lock().unwrap().iter().sum::<usize>(), dropped.counts()), (7, (0, 0)));
        // Nobody takes it out any more.
        queue.put(7, 1);
        assert_eq!(dropped.counts(), (1, 0));
    }

    #[test]
    fn what_is_not_taken_is_counted() {
        let (queue, _, dropped) = start(true);
        for _ in 0..100 {
            queue.put(7, 1);
        }
        queue.end().recv().unwrap();
        let (full, failed) = dropped.counts();
        assert_eq!(full + failed, 100);
        assert!(failed >= 30, "{failed}");
    }
}
