//! `load`: asks for one URL again and again.

use std::io::Write;
use std::process::ExitCode;

use bench::{Failure, exit_code, load};
use clap::Parser;

// One thread: it has less to do than what is measured, and leaves it the other core.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    exit_code("load", run(load::Options::parse()).await)
}

async fn run(options: load::Options) -> Result<(), Failure> {
    let report = load::run(options).await?;
    Ok(writeln!(std::io::stdout(), "{}", serde_json::to_string(&report)?)?)
}
