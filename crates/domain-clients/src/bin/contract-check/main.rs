//! `contract-check`: holds live domain services against the contracts that their clients rely on. It only reads.

mod check;
mod options;
mod report;
mod samples;
mod tokens;

use std::io::{self, Write};
use std::process::ExitCode;

use report::Report;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let plan = options::parse();
    let rows = match check::all(&plan).await {
        Ok(rows) => rows,
        Err(error) => return wrong(&error.to_string()),
    };
    let report = Report(rows);
    let text = if plan.json { report.json() } else { report.to_string() };
    // Nothing is left to do when even this cannot be written.
    let _ = io::stdout().write_all(text.as_bytes());
    ExitCode::from(report.exit_code())
}

/// What cannot be begun is the command's fault, as clap sees it too.
fn wrong(text: &str) -> ExitCode {
    let _ = writeln!(io::stderr(), "contract-check: {text}");
    ExitCode::from(2)
}
