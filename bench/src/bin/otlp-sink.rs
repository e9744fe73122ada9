//! `otlp-sink`: a collector that counts.

use std::process::ExitCode;

use bench::{exit_code, sink};
use clap::Parser;

// One thread: it has less to do than what is measured, and leaves it the other core.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    exit_code("otlp-sink", sink::run(sink::Options::parse()).await)
}
