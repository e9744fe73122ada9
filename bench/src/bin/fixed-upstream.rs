//! `fixed-upstream`: domain services whose answers are fixed.

use std::process::ExitCode;

use bench::{exit_code, fixed};
use clap::Parser;

// One thread: it has less to do than what is measured, and leaves it the other core.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    exit_code("fixed-upstream", fixed::run(fixed::Options::parse()).await)
}
