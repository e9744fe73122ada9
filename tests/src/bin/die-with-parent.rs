//! `die-with-parent PARENT PROGRAM ARGUMENT…` becomes PROGRAM, which the kernel ends when PARENT ends.
//!
//! A test that is killed cannot end what it started. The link is to the thread that starts this program: a system is
//! started on the thread of its test.

use std::env;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    let mut arguments = env::args_os().skip(1);
    let (Some(parent), Some(program)) = (arguments.next(), arguments.next()) else {
        return ExitCode::from(2);
    };
    if !follow(&parent.to_string_lossy()) {
        return ExitCode::FAILURE;
    }
    let error = Command::new(program).args(arguments).exec();
    // The log of the program that does not start is where somebody looks.
    let _ = std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("cannot start: {error}\n"));
    ExitCode::from(127)
}

/// Asks the kernel; false if it is too late, because the parent has ended already.
#[cfg(target_os = "linux")]
fn follow(parent: &str) -> bool {
    use rustix::process::{Signal, getppid, set_parent_process_death_signal};
    set_parent_process_death_signal(Some(Signal::KILL)).is_ok()
        && getppid().is_some_and(|pid| pid.as_raw_nonzero().to_string() == parent)
}

/// Other systems cannot: there a killed test leaves its programs running.
#[cfg(not(target_os = "linux"))]
fn follow(_: &str) -> bool {
    true
}
