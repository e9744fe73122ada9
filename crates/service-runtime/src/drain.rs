use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use opentelemetry::metrics::Meter;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

/// How far a service has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Phase {
    Starting,
    Ready,
    Draining,
}

/// The phase that a service is in, for those who ask.
#[derive(Clone, Debug, Default)]
pub(crate) struct Progress(Arc<AtomicU8>);

impl Progress {
    pub(crate) fn reach(&self, phase: Phase) {
        self.0.store(phase as u8, Ordering::Release);
    }

    /// Shows whether it is ready.
    pub(crate) fn observe(&self, meter: &Meter) {
        let progress = self.clone();
        let gauge = meter.u64_observable_gauge("triptych.ready");
        let gauge = gauge.with_description("Whether requests may come: not while starting or draining");
        let ready = move || u64::from(progress.phase() == Phase::Ready);
        gauge.with_callback(move |observer| observer.observe(ready(), &[])).build();
    }

    pub(crate) fn phase(&self) -> Phase {
        match self.0.load(Ordering::Acquire) {
            0 => Phase::Starting,
            1 => Phase::Ready,
            _ => Phase::Draining,
        }
    }
}

/// What asks a service to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// SIGTERM: from an orchestrator, which needs time to send requests elsewhere.
    Terminate,
    /// SIGINT: from a person, who waits.
    Interrupt,
}

impl Signal {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Terminate => "SIGTERM",
            Self::Interrupt => "SIGINT",
        }
    }

    /// The exit code of a process that it ended at once.
    pub(crate) fn exit_code(self) -> u8 {
        match self {
            Self::Terminate => 128 + 15,
            Self::Interrupt => 128 + 2,
        }
    }
}

/// The signals that the process gets, one after the other.
pub(crate) struct Signals(mpsc::Receiver<Signal>);

impl Signals {
    /// From now on the process no longer ends by itself at these signals.
    pub(crate) fn of_process() -> io::Result<Self> {
        let (sender, signals) = Self::scripted();
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        tokio::spawn(async move {
            loop {
                let signal = tokio::select! {
                    _ = terminate.recv() => Signal::Terminate,
                    _ = interrupt.recv() => Signal::Interrupt,
                };
                if sender.send(signal).await.is_err() {
                    break;
                }
            }
        });
        Ok(signals)
    }

    /// Signals that somebody else sends.
    pub(crate) fn scripted() -> (mpsc::Sender<Signal>, Self) {
        let (sender, receiver) = mpsc::channel(4);
        (sender, Self(receiver))
    }

    pub(crate) async fn next(&mut self) -> Signal {
        match self.0.recv().await {
            Some(signal) => signal,
            None => std::future::pending().await,
        }
    }
}
