use std::num::NonZero;
use std::thread;
use std::time::Duration;

use bytesize::ByteSize;
use jiff::fmt::serde::unsigned_duration::friendly::compact::required as friendly;
use serde::{Deserialize, Serialize};
use tracing_subscriber::EnvFilter;

use super::error::Invalid;
use super::range::{duration_in, number_in};

/// How connections are served, and for how long.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerSettings {
    /// What is logged, as `level` or `target=level, …`; `RUST_LOG` has the last word.
    pub log: String,
    /// How many threads serve requests. By default as many as there are cores.
    pub worker_threads: usize,
    /// How many connections may be open; others wait to be accepted.
    pub max_connections: usize,
    /// How long a request's head may take, the first one counted from the connection's start.
    #[serde(with = "friendly")]
    pub header_timeout: Duration,
    /// How large a request's head may be. More than the gateway takes, since the gateway adds to it.
    pub max_head: ByteSize,
    /// How long a connection may stay open without a request.
    #[serde(with = "friendly")]
    pub idle_timeout: Duration,
    /// How long a client may take no byte of an answer that waits for it.
    #[serde(with = "friendly")]
    pub write_timeout: Duration,
    /// How many requests may run at once on one HTTP/2 connection.
    pub max_streams: u32,
    /// How often an HTTP/2 connection is asked whether it still lives.
    #[serde(with = "friendly")]
    pub ping_interval: Duration,
    /// How long the answer to that may take.
    #[serde(with = "friendly")]
    pub ping_timeout: Duration,
    /// How long requests are still accepted after SIGTERM, while load balancers learn that it is not ready.
    #[serde(with = "friendly")]
    pub lame_duck: Duration,
    /// How long requests may run on after that.
    #[serde(with = "friendly")]
    pub drain_timeout: Duration,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            log: "info".to_owned(),
            worker_threads: thread::available_parallelism().map_or(1, NonZero::get),
            max_connections: 4096,
            header_timeout: Duration::from_secs(10),
            max_head: ByteSize::kib(40),
            idle_timeout: Duration::from_secs(75),
            write_timeout: Duration::from_secs(30),
            max_streams: 100,
            ping_interval: Duration::from_secs(20),
            ping_timeout: Duration::from_secs(10),
            lame_duck: Duration::from_secs(5),
            drain_timeout: Duration::from_secs(15),
        }
    }
}

const TICK: Duration = Duration::from_millis(10);
const HOUR: Duration = Duration::from_hours(1);

impl ServerSettings {
    pub(super) fn check(&self) -> Result<(), Invalid> {
        let head = (ByteSize::kib(8), ByteSize::mib(1));
        EnvFilter::try_new(&self.log)
            .map_err(|_| Invalid::new("log", "not a log filter; write it as info or hyper=warn,info"))?;
        number_in("worker_threads", &self.worker_threads, &(1..=1024))?;
        number_in("max_connections", &self.max_connections, &(1..=1_000_000))?;
        number_in("max_head", &self.max_head, &(head.0..=head.1))?;
        number_in("max_streams", &self.max_streams, &(1..=10_000))?;
        duration_in("header_timeout", self.header_timeout, &(TICK..=HOUR))?;
        duration_in("idle_timeout", self.idle_timeout, &(TICK..=HOUR))?;
        duration_in("write_timeout", self.write_timeout, &(TICK..=HOUR))?;
        duration_in("ping_interval", self.ping_interval, &(TICK..=HOUR))?;
        duration_in("ping_timeout", self.ping_timeout, &(TICK..=HOUR))?;
        duration_in("lame_duck", self.lame_duck, &(Duration::ZERO..=HOUR))?;
        duration_in("drain_timeout", self.drain_timeout, &(Duration::ZERO..=HOUR))
    }
}
