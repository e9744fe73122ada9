//! The service's own log: JSON lines, or lines for people on a terminal, on standard output.
//!
//! A queue is between, so that whoever reads it slowly holds up no request: lines that it has no room for are lost, and
//! counted.

use std::io::{self, IsTerminal, Write};
use std::panic;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;
use tracing::Metadata;
use tracing_subscriber::filter::{ParseError, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt};

use super::Telemetry;
use super::dropped::Dropped;
use super::queue::{Queue, Sink};
use super::records::IntoQueue;
use super::variables::Limits;
use crate::BuildError;

/// A few megabytes at most; and soon enough for whoever watches.
const LIMITS: Limits = Limits { queue: 8192, batch: 1024, delay: Duration::from_millis(10) };
/// How long the end of the process waits for them.
const LAST_WORDS: Duration = Duration::from_secs(1);
const BETWEEN_REPORTS: Duration = Duration::from_mins(1);

/// The log of a process, until its end.
pub(crate) struct Log {
    lines: Lines,
    lost: Arc<Dropped>,
}

/// Puts lines into the queue.
#[derive(Clone)]
struct Lines(Arc<Queue>);

/// Writes them.
struct Out<W>(W);

/// Those whose events an exporter causes: to export them would cause more.
const EXPORTERS: [&str; 9] =
    ["h2", "hyper", "mio", "opentelemetry", "reqwest", "rustls", "tonic", "tower", "want"];
/// It names people by a hash that is always the same, which spans must not be joined with: it stays on this machine.
const AUDIT: &str = "audit";

/// Which events are logged, as `directives` say.
pub(crate) fn filter(directives: &str) -> Result<EnvFilter, ParseError> {
    EnvFilter::try_new(directives)
}

/// Starts logging what the filter lets through. Only the first call of a process counts.
pub(crate) fn start(filter: EnvFilter, telemetry: &Telemetry) -> io::Result<Log> {
    let log = Log::to(io::stdout(), telemetry.lost_lines())?;
    let lines = fmt::layer().with_writer(log.lines.clone());
    let lines = if io::stdout().is_terminal() {
        lines.boxed()
    } else {
        lines.json().flatten_event(true).with_current_span(true).with_span_list(false).boxed()
    };
    let records = telemetry.records().map(|records| IntoQueue(records).with_filter(filter_fn(may_leave)));
    // Only a second call can fail: the first one's subscriber then stays.
    let _ = tracing_subscriber::registry().with(filter).with(lines).with(records).try_init();
    panic::set_hook(Box::new(log_panic));
    Ok(log)
}

fn may_leave(event: &Metadata<'_>) -> bool {
    event.target() != AUDIT && !EXPORTERS.iter().any(|name| event.target().starts_with(name))
}

impl Log {
    fn to(out: impl Write + Send + 'static, lost: Arc<Dropped>) -> io::Result<Self> {
        let queue = Queue::start("log_lines", LIMITS, Arc::clone(&lost), Out(out))?;
        Ok(Self { lines: Lines(Arc::new(queue)), lost })
    }

    /// Reports lost lines once in a while, for ever.
    pub(crate) fn watch(&self) -> impl Future<Output = ()> + use<> {
        let lost = Arc::clone(&self.lost);
        async move {
            let mut reported = 0;
            loop {
                sleep(BETWEEN_REPORTS).await;
                let (total, _) = lost.counts();
                if total > reported {
                    report(total);
                    reported = total;
                }
            }
        }
    }

    /// Waits until all is written, if somebody reads it.
    pub(crate) fn end(self) {
        if let (total @ 1.., _) = self.lost.counts() {
            report(total);
        }
        // An error, when there is nobody any more or the time is over: both say that it is time to go.
        let _ = self.lines.0.end().recv_timeout(LAST_WORDS);
    }
}

impl<W: Write + Send + 'static> Sink for Out<W> {
    fn send(&mut self, lines: &[u8]) -> Result<usize, BuildError> {
        self.0.write_all(lines)?;
        self.0.flush()?;
        Ok(0)
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> &'a Self {
        self
    }
}

impl Write for &Lines {
    /// A line, as a whole.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.put(1, |lines| lines.extend_from_slice(line));
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn report(total: u64) {
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
        let log = Log::to(reader.clone(), Arc::default()).unwrap();
        for _ in 0..3 * LIMITS.queue {
            (&log.lines).write_all(b"a line\n").unwrap();
        }
        assert_eq!(log.lost.counts(), (2 * LIMITS.queue as u64, 0));
        log.end();
        assert!(stalled.is_empty());
    }

    #[test]
    fn nothing_is_lost_at_the_end() {
        let reader = Reader::default();
        let log = Log::to(reader.clone(), Arc::default()).unwrap();
        for _ in 0..1000 {
            (&log.lines).write_all(b"a line\n").unwrap();
        }
        log.end();
        assert_eq!(reader.0.lock().unwrap().len(), 7000);
    }

    #[test]
    fn lines_appear_while_the_process_lives() {
        let reader = Reader::default();
        let log = Log::to(reader.clone(), Arc::default()).unwrap();
        for number in 1..=3 {
            (&log.lines).write_all(b"a line\n").unwrap();
            while reader.0.lock().unwrap().len() < 7 * number {
                std::thread::yield_now();
            }
        }
    }
}
