//! The service's own log: JSON lines, or lines for people on a terminal, on standard output.

use std::io::{self, IsTerminal};
use std::panic;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

/// Starts logging what `directives` let through. Only the first call of a process counts.
pub(crate) fn start(directives: &str) -> Result<(), ParseError> {
    let filter = EnvFilter::try_new(directives)?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter);
    // Only a second call can fail: the first one's subscriber then stays.
    let _ = if io::stdout().is_terminal() {
        lines.try_init()
    } else {
        let json = lines.json().flatten_event(true);
        json.with_current_span(true).with_span_list(false).try_init()
    };
    panic::set_hook(Box::new(log_panic));
    Ok(())
}

fn log_panic(info: &panic::PanicHookInfo<'_>) {
    let message = info.payload_as_str().unwrap_or("no message");
    let location = info.location().map(ToString::to_string);
    tracing::error!(exception.message = message, code.location = location, "panicked");
}
