//! `open-load`: sends requests when they are due, answered or not.

use std::process::ExitCode;

use bench::{Failure, exit_code, open};
use clap::Parser;

// One thread: it has less to do than what is measured, and leaves it the other core.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    exit_code("open-load", run(open::Options::parse()).await)
}

async fn run(options: open::Options) -> Result<(), Failure> {
    open::run(options.read()?, std::io::stdout()).await
}
