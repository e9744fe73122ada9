//! One program that runs, and ends with its owner.

use std::env;
use std::fs::File;
use std::future::Future;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{sleep, timeout};

use crate::{RunDir, program};

/// Far longer than anything here takes: it ends a test that would hang, and decides nothing else.
const PATIENCE: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(5);
/// How long a program may take to end by itself.
const GRACE: Duration = Duration::from_secs(5);
const LAST_LINES: usize = 20;

/// Environment variables for a program.
pub type Env = Vec<(String, String)>;

/// A program that runs. Dropping it ends it.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
    _dir: RunDir,
}

impl Process {
    /// Starts `command` with these variables and without the settings that this process may have been given; what it
    /// writes goes to `<name>.log`.
    #[expect(
        clippy::disallowed_methods,
        reason = "the programs must not see the settings of whoever runs the tests"
    )]
    pub fn start(name: &str, command: &[&str], env: &Env, dir: &RunDir) -> Self {
        let log = dir.file(&format!("{name}.log"));
        let output = File::options().create(true).append(true).open(&log).expect("a log can be made");
        let errors = output.try_clone().expect("a log can be written from two sides");
        let mut starter = Command::new(program("die-with-parent"));
        starter.arg(std::process::id().to_string()).args(command);
        for (name, _) in env::vars_os() {
            let name = name.to_string_lossy();
            if name.starts_with("BFF__") || name.starts_with("OTEL_") || name == "RUST_LOG" {
                starter.env_remove(&*name);
            }
        }
        let spawned = starter
            .envs(env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .spawn();
        let child = spawned.unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        Self { name: name.to_owned(), child, log, _dir: dir.clone() }
    }

    /// What it has written so far.
    pub fn log(&self) -> String {
        std::fs::read(&self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    /// Asks `ready` again and again until it has something; fails with the end of the log when the process ends first.
    pub async fn until<T>(&mut self, what: &str, mut ready: impl AsyncFnMut(&Self) -> Option<T>) -> T {
        let asking = async {
            loop {
                if let Some(found) = ready(self).await {
                    return Ok(found);
                }
                if let Some(status) = self.child.try_wait().expect("a child can be asked") {
                    return Err(format!("{} ended with {status} before it {what}", self.name));
                }
                sleep(POLL).await;
            }
        };
        let outcome = timeout(PATIENCE, asking).await;
        match outcome.unwrap_or_else(|_| Err(format!("{} never {what}", self.name))) {
            Ok(found) => found,
            Err(reason) => panic!("{reason}; the end of {}:\n{}", self.log.display(), self.last_lines()),
        }
    }

    fn last_lines(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(LAST_LINES)..].join("\n")
    }

    /// How much memory it holds, in bytes.
    pub fn resident_bytes(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kibibytes = line.and_then(|line| line.trim().split(' ').next()?.parse::<usize>().ok());
        kibibytes.expect("a living process holds some memory") * 1024
    }

    /// Sends it SIGTERM.
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Sends it SIGKILL.
    pub fn kill(&self) {
        self.signal(Signal::KILL);
    }

    /// Stops it where it is: its connections stay open, and nothing is answered.
    pub fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub fn resume(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        // It may have ended already; nobody else can have its id before it was waited for.
        let _ = kill_process(Pid::from_child(&self.child), signal);
    }

    /// How it ended.
    pub async fn ended(mut self) -> ExitStatus {
        let waiting = async {
            loop {
                if let Some(status) = self.child.try_wait().expect("a child can be asked") {
                    return status;
                }
                sleep(POLL).await;
            }
        };
        within("the end of a process", waiting).await
    }
}

impl Drop for Process {
    #[expect(clippy::disallowed_methods, reason = "a drop cannot await, and the test is over")]
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return;
        }
        self.terminate();
        for _ in 0..GRACE.as_millis() / POLL.as_millis() {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(POLL);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The outcome of something that must come to an end.
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("{what} did not come within {PATIENCE:?}"))
}

/// Asks `found` again and again until it has something.
pub async fn until<T>(what: &str, mut found: impl AsyncFnMut() -> Option<T>) -> T {
    let asking = async {
        loop {
            if let Some(found) = found().await {
                return found;
            }
            sleep(POLL).await;
        }
    };
    within(what, asking).await
}
