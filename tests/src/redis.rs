//! A real Redis that comes and goes.

use std::env;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::{Env, Process, RunDir, repository};

/// A Redis of its own, without persistence. Dropping it ends it.
#[derive(Debug)]
pub struct Redis {
    process: Option<Process>,
    port: u16,
    dir: RunDir,
}

impl Redis {
    /// Starts one on a free port.
    pub async fn start(dir: &RunDir) -> Self {
        let mut redis = Self { process: None, port: free_port(), dir: dir.clone() };
        redis.restart().await;
        redis
    }

    /// What to write into settings.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port)
    }

    /// Kills it: connections are reset, new ones refused, and all that it knew is gone.
    pub async fn kill(&mut self) {
        if let Some(process) = self.process.take() {
            process.kill();
            process.ended().await;
        }
    }

    /// Starts it again where it was, empty.
    pub async fn restart(&mut self) {
        self.kill().await;
        let (program, port) = (program(), self.port.to_string());
        let dir = self.dir.file("").to_string_lossy().into_owned();
        let place = ["--bind", "127.0.0.1", "--port", &port, "--dir", &dir];
        let command = [&[&*program][..], &place, &["--save", "", "--appendonly", "no"]].concat();
        let mut process = Process::start("redis", &command, &Env::new(), &self.dir);
        // The log goes on where the one before it ended.
        process.until("accepted", async |_: &Process| self.ask("PING").await).await;
        self.process = Some(process);
    }

    /// Stops it without ending it: who asks it waits.
    pub fn pause(&self) {
        self.process.as_ref().expect("it runs").pause();
    }

    /// Lets it go on.
    pub fn resume(&self) {
        self.process.as_ref().expect("it runs").resume();
    }

    /// How many BFFs hear what others invalidate.
    pub async fn listeners(&self) -> usize {
        let channels = self.ask("PUBSUB NUMSUB triptych:invalidations").await.unwrap_or_default();
        let count = channels.lines().rfind(|line| line.starts_with(':'));
        count.and_then(|line| line[1..].trim().parse().ok()).unwrap_or_default()
    }

    /// The raw answer to a command; `None` if nobody answers.
    async fn ask(&self, command: &str) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await.ok()?;
        stream.write_all(format!("{command}\r\nQUIT\r\n").as_bytes()).await.ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.ok()?;
        Some(answer.trim_end_matches("+OK\r\n").to_owned())
    }
}

/// What scripts/redis provides, or what `TRIPTYCH_REDIS_SERVER` names.
#[expect(clippy::disallowed_methods, reason = "tests have no settings")]
fn program() -> String {
    let given = env::var_os("TRIPTYCH_REDIS_SERVER").map(PathBuf::from);
    let program = given.unwrap_or_else(|| repository().join("target/tools/redis/bin/redis-server"));
    assert!(program.exists(), "{} is missing: run scripts/redis", program.display());
    program.to_string_lossy().into_owned()
}

/// A port that is free and stays so while a Redis is down: below those that connections get, and another one in every
/// process that runs at the same time.
fn free_port() -> u16 {
    static STARTED: AtomicU32 = AtomicU32::new(0);
    loop {
        let number = std::process::id() + 997 * STARTED.fetch_add(1, Ordering::Relaxed);
        let port = 22_000 + u16::try_from(number % 10_000).expect("it is below 10,000");
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
