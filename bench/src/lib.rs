//! The programs behind `scripts/bench` and `scripts/soak`.
//!
//! [`bare`] answers two screens with hyper and nothing else: what a BFF is measured against. [`fixed`]
//! stands in for the domain services, so that neither waits for them. [`load`] asks as fast as it is answered,
//! [`open`] at a rate of its own. [`sink`] is where a BFF's telemetry goes.

pub mod bare;
pub mod fixed;
pub mod load;
pub mod open;
mod options;
mod serve;
pub mod sink;

use std::error::Error;
use std::io::Write;
use std::net::SocketAddr;
use std::process::ExitCode;

/// What went wrong. The programs only print it.
pub type Failure = Box<dyn Error + Send + Sync>;

/// For scripts, which wait for this line.
fn announce(name: &str, address: SocketAddr) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "listening {name} http://{address}")?;
    Ok(out.flush()?)
}

/// How a program ends: its one line on standard error if it failed.
pub fn exit_code(program: &str, outcome: Result<(), Failure>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let _ = writeln!(std::io::stderr(), "{program}: {failure}");
            ExitCode::FAILURE
        }
    }
}
