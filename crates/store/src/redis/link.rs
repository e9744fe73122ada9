//! The link to Redis: kept up in the background, and never waited for when it is down.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use redis::{ErrorKind, FromRedisValue, RedisError, RedisResult, ServerErrorKind, Value};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::{Instant, timeout};
use tokio_util::task::AbortOnDropHandle;
use tracing::{info, warn};

use super::backoff::Backoff;
use super::scripts::Run;
use super::servers::{Connector, Wire};
use crate::StoreError;

/// How often a connection is tried that nobody uses.
const IDLE: Duration = Duration::from_secs(1);
/// How many calls may be on their way; more would only wait for each other.
const CALLS: usize = 1024;
/// How often a command is sent that a cluster says it did not carry out, since its slots were moving.
const TRIES: usize = 3;

/// Sends commands, and gives up on each within the timeout.
pub(super) struct Link {
    connector: Arc<Connector>,
    timeout: Duration,
    calls: Semaphore,
    running: OnceLock<Running>,
}

/// What keeps the link up, from the first call until the link is dropped.
struct Running {
    state: watch::Receiver<State>,
    doubts: mpsc::Sender<Doubt>,
    _task: AbortOnDropHandle<()>,
}

#[derive(Clone)]
enum State {
    Starting,
    Up { generation: u64, wire: Wire },
    Down(Arc<str>),
}

/// That something may be wrong with the connection of this generation.
struct Doubt {
    generation: u64,
    /// Whether a ping would prove nothing.
    certain: bool,
}

#[derive(Clone, Copy)]
enum Work<'a> {
    Command(&'a redis::Cmd),
    Script(&'a Run<'a>),
}

impl Work<'_> {
    async fn send(self, mut wire: Wire) -> RedisResult<Value> {
        match self {
            Self::Command(command) => wire.send(command).await,
            Self::Script(run) => match wire.send(&run.known()).await {
                Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                    wire.send(&run.whole()).await
                }
                outcome => outcome,
            },
        }
    }
}

/// Why a call got no answer.
#[derive(Debug, thiserror::Error)]
enum NoAnswer {
    #[error("not within {0:?}")]
    InTime(Duration),
    #[error("there is no connection: {0}")]
    Connection(Arc<str>),
    #[error("there are {CALLS} calls already")]
    TooMany,
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").finish_non_exhaustive()
    }
}

impl Link {
    pub(super) fn new(connector: Arc<Connector>, timeout: Duration) -> Self {
        Self { connector, timeout, calls: Semaphore::new(CALLS), running: OnceLock::new() }
    }

    /// Sends a command.
    pub(super) async fn call<T: FromRedisValue>(&self, command: &redis::Cmd) -> Result<T, StoreError> {
        self.within(Work::Command(command)).await
    }

    /// Runs a script.
    pub(super) async fn run<T: FromRedisValue>(&self, run: &Run<'_>) -> Result<T, StoreError> {
        self.within(Work::Script(run)).await
    }

    async fn within<T: FromRedisValue>(&self, work: Work<'_>) -> Result<T, StoreError> {
        let _call = self.calls.try_acquire().map_err(|_| unavailable(NoAnswer::TooMany))?;
        let running = self.running.get_or_init(|| Running::start(Arc::clone(&self.connector)));
        let mut generation = 0;
        let answered = timeout(self.timeout, async {
            let wire;
            (generation, wire) = running.wire().await?;
            let mut tries = 1;
            loop {
                match work.send(wire.clone()).await {
                    Err(error) if tries < TRIES && not_carried_out(&error) => tries += 1,
                    outcome => return outcome.map_err(|error| running.failed(generation, error)),
                }
            }
        });
        let value = answered.await.unwrap_or_else(|_| {
            running.doubt(generation, false);
            Err(unavailable(NoAnswer::InTime(self.timeout)))
        })?;
        redis::from_redis_value(value).map_err(unavailable)
    }
}

impl Running {
    fn start(connector: Arc<Connector>) -> Self {
        let (up, state) = watch::channel(State::Starting);
        // One doubt is enough.
        let (doubts, doubted) = mpsc::channel(1);
        let task = tokio::spawn(keep_up(connector, up, doubted));
        Self { state, doubts, _task: AbortOnDropHandle::new(task) }
    }

    /// The connection. Only the very first is waited for.
    async fn wire(&self) -> Result<(u64, Wire), StoreError> {
        let mut state = self.state.clone();
        let state = state.wait_for(|state| !matches!(state, State::Starting)).await.map_err(unavailable)?;
        match &*state {
            State::Up { generation, wire } => Ok((*generation, wire.clone())),
            State::Down(reason) => Err(unavailable(NoAnswer::Connection(Arc::clone(reason)))),
            State::Starting => unreachable!("it was waited for"),
        }
    }

    fn failed(&self, generation: u64, error: RedisError) -> StoreError {
        // Older versions hide the code of an error in a script within its text.
        if error.code() == Some("OOM") || error.to_string().contains("-OOM ") {
            return StoreError::Full;
        }
        let readonly = error.kind() == ErrorKind::Server(ServerErrorKind::ReadOnly);
        self.doubt(generation, readonly || error.is_unrecoverable_error());
        unavailable(error)
    }

    fn doubt(&self, generation: u64, certain: bool) {
        let _ = self.doubts.try_send(Doubt { generation, certain });
    }
}

fn unavailable(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> StoreError {
    StoreError::Unavailable(error.into())
}

/// Whether the command may be sent again, because the cluster says that nothing was done.
fn not_carried_out(error: &RedisError) -> bool {
    matches!(error.kind(), ErrorKind::Server(ServerErrorKind::Moved | ServerErrorKind::TryAgain))
}

/// Connects, and connects anew whenever the connection is lost. A lost one stays in place until it is known
/// whether there is a new one: of a cluster it may be a part that is lost.
async fn keep_up(connector: Arc<Connector>, state: watch::Sender<State>, mut doubts: mpsc::Receiver<Doubt>) {
    let mut backoff = Backoff::new();
    for generation in 1.. {
        let lasted = match connector.connect().await {
            Ok(wire) => {
                info!("connected to the store");
                let since = Instant::now();
                state.send_replace(State::Up { generation, wire: wire.clone() });
                let reason = watch_over(wire, generation, &mut doubts).await;
                warn!(reason, "lost the connection to the store");
                since.elapsed()
            }
            Err(error) => {
                let before = state.send_replace(State::Down(error.to_string().into()));
                if !matches!(before, State::Down(_)) {
                    warn!(%error, "cannot connect to the store");
                }
                Duration::ZERO
            }
        };
        backoff.wait(lasted).await;
    }
}

/// Returns, with the reason, when the connection is of no use any more.
async fn watch_over(mut wire: Wire, generation: u64, doubts: &mut mpsc::Receiver<Doubt>) -> String {
    loop {
        match timeout(IDLE, doubts.recv()).await {
            Ok(Some(doubt)) if doubt.generation != generation => continue,
            Ok(Some(doubt)) if doubt.certain => return "a call failed".into(),
            _ => {}
        }
        if let Err(error) = wire.ping().await {
            return error.to_string();
        }
    }
}
