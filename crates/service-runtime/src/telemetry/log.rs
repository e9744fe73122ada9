//! The service's own log: JSON lines, or lines for people on a terminal, on standard output.
//!
//! A thread writes it, so that whoever reads it slowly holds up no request: lines that it cannot keep up with
//! are lost, and counted.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::panic;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use tokio::time::sleep;
use tracing::Metadata;
use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::filter::{ParseError, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt};

use super::Telemetry;

/// How many lines wait to be written: a few megabytes.
const WAITING: usize = 8192;
/// How long the end of the process waits for them.
const LAST_WORDS: Duration = Duration::from_secs(1);
const BETWEEN_REPORTS: Duration = Duration::from_mins(1);

/// The log of a process, until its end.
pub(crate) struct Log {
    lost: ErrorCounter,
    writer: WorkerGuard,
}

/// Those whose events an exporter causes: to export them would cause more.
const EXPORTERS: [&str; 9] =
    ["h2", "hyper", "mio", "opentelemetry", "reqwest", "rustls", "tonic", "tower", "want"];
/// It names people by a hash that is always the same, which spans must not be joined with: it stays on this machine.
const AUDIT: &str = "audit";

/// Starts logging what `directives` let through. Only the first call of a process counts.
pub(crate) fn start(directives: &str, telemetry: &Telemetry) -> Result<Log, ParseError> {
    let filter = EnvFilter::try_new(directives)?;
    let (writer, log) = in_background(BufWriter::new(io::stdout()));
    let lines = fmt::layer().with_writer(writer);
    let lines = if io::stdout().is_terminal() {
        lines.boxed()
    } else {
        lines.json().flatten_event(true).with_current_span(true).with_span_list(false).boxed()
    };
    let records = telemetry.records().map(OpenTelemetryTracingBridge::new);
    let records = records.map(|records| records.with_filter(filter_fn(may_leave)));
    // Only a second call can fail: the first one's subscriber then stays.
    let _ = tracing_subscriber::registry().with(filter).with(lines).with(records).try_init();
    panic::set_hook(Box::new(log_panic));
    Ok(log)
}

fn may_leave(event: &Metadata<'_>) -> bool {
    event.target() != AUDIT && !EXPORTERS.iter().any(|name| event.target().starts_with(name))
}

fn in_background(out: impl Write + Send + 'static) -> (NonBlocking, Log) {
    let builder = NonBlockingBuilder::default().lossy(true).buffered_lines_limit(WAITING).thread_name("log");
    let (lines, writer) = builder.finish(out);
    let lost = lines.error_counter();
    (lines, Log { lost, writer })
}

impl Log {
    /// How many lines were lost.
    pub(crate) fn lost(&self) -> ErrorCounter {
        self.lost.clone()
    }

    /// Reports lost lines once in a while, for ever.
    pub(crate) fn watch(&self) -> impl Future<Output = ()> + use<> {
        let lost = self.lost.clone();
        async move {
            let mut reported = 0;
            loop {
                sleep(BETWEEN_REPORTS).await;
                let total = lost.dropped_lines();
                if total > reported {
                    report(total);
                    reported = total;
                }
            }
        }
    }

    /// Waits until all is written, if somebody reads it.
    pub(crate) fn end(self) {
        let Self { lost, writer } = self;
        if lost.dropped_lines() > 0 {
            report(lost.dropped_lines());
        }
        let (written, is_written) = mpsc::channel::<()>();
        // On a thread of its own, because the guard itself writes to standard output when that is not read.
        thread::spawn(move || {
            drop(writer);
            drop(written);
        });
        // An error, when the sender is gone or the time is over: both say that it is time to go.
        let _ = is_written.recv_timeout(LAST_WORDS);
    }
}

fn report(total: usize) {
    tracing::warn!(lost.total = total, "log lines were lost: standard output is read too slowly");
}

fn log_panic(info: &panic::PanicHookInfo<'_>) {
    let message = info.payload_as_str().unwrap_or("no message");
    let location = info.location().map(ToString::to_string);
    tracing::error!(exception.message = message, code.location = location, "panicked");
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Reader(Arc<Mutex<Vec<u8>>>);

    impl Write for Reader {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_stalls_holds_up_nobody() {
        let reader = Reader::default();
        let stalled = reader.0.lock().unwrap();
        let (mut lines, log) = in_background(reader.clone());
        for _ in 0..3 * WAITING {
            lines.write_all(b"a line\n").unwrap();
        }
        let lost = log.lost.dropped_lines();
        assert!((WAITING..=2 * WAITING).contains(&lost), "{lost}");
        log.end();
        assert!(stalled.is_empty());
    }

    #[test]
    fn nothing_is_lost_at_the_end() {
        let reader = Reader::default();
        let (mut lines, log) = in_background(BufWriter::new(reader.clone()));
        for _ in 0..1000 {
            lines.write_all(b"a line\n").unwrap();
        }
        log.end();
        assert_eq!(reader.0.lock().unwrap().len(), 7000);
    }
}
