use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use tokio::time::{Instant, sleep_until};

use crate::settings::ServerSettings;

/// How long a connection may be in each state in which only the client can end it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    header: Duration,
    idle: Duration,
    write: Duration,
    /// How often a connection is looked at.
    tick: Duration,
}

impl From<&ServerSettings> for Limits {
    fn from(settings: &ServerSettings) -> Self {
        let (header, idle, write) = (settings.header_timeout, settings.idle_timeout, settings.write_timeout);
        Self { header, idle, write, tick: header.min(idle).min(write) }
    }
}

/// How long a client that sent nothing may take to see that its connection ends.
const FAREWELL: Duration = Duration::from_secs(1);

impl Limits {
    /// How long a connection may take to end by itself.
    pub(super) fn patience(&self, reason: Overdue) -> Duration {
        match reason {
            Overdue::Head | Overdue::Idle => FAREWELL,
            // Other requests on the connection may still be answered.
            Overdue::Stalled => self.write,
        }
    }
}

/// Why a connection is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Overdue {
    /// The head of a request did not arrive in time.
    Head,
    /// No request came.
    Idle,
    /// The client took no byte of an answer that waits for it.
    Stalled,
}

/// What happens on one connection: whether it waits for the client, and since when.
#[derive(Debug)]
pub(super) struct Activity {
    limits: Limits,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Requests whose answer is not yet handed over whole.
    requests: usize,
    /// Those of them whose answer waits until the client takes more of it.
    waiting: usize,
    /// When any of this last changed.
    since: Instant,
    /// When the head that is being read began to arrive.
    head: Option<Instant>,
    http2: bool,
}

impl Activity {
    /// A connection that has just been accepted: the clock of its first head runs.
    pub(super) fn new(limits: Limits) -> Self {
        let now = Instant::now();
        let state = State { requests: 0, waiting: 0, since: now, head: Some(now), http2: false };
        Self { limits, state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes arrived. On a quiet HTTP/1 connection they begin a head; on HTTP/2 they may be anything.
    pub(super) fn received(&self) {
        let mut state = self.state();
        if state.requests == 0 && !state.http2 && state.head.is_none() {
            state.head = Some(Instant::now());
        }
    }

    /// A request arrived.
    pub(super) fn begin(self: &Arc<Self>, http2: bool) -> Running {
        let mut state = self.state();
        state.requests += 1;
        state.since = Instant::now();
        state.head = None;
        state.http2 = http2;
        Running { activity: Arc::clone(self), waiting: false }
    }

    /// Completes when the client has kept the connection waiting for too long.
    pub(super) async fn overdue(&self) -> Overdue {
        loop {
            let now = Instant::now();
            let next = match self.verdict() {
                Some((at, why)) if at <= now => return why,
                Some((at, _)) => at.min(now + self.limits.tick),
                None => now + self.limits.tick,
            };
            sleep_until(next).await;
        }
    }

    /// What will be overdue, and when, if the client does nothing.
    fn verdict(&self) -> Option<(Instant, Overdue)> {
        let state = self.state();
        match (state.requests, state.waiting, state.head) {
            (0, _, Some(began)) => Some((began + self.limits.header, Overdue::Head)),
            (0, _, None) => Some((state.since + self.limits.idle, Overdue::Idle)),
            (_, 0, _) => None,
            _ => Some((state.since + self.limits.write, Overdue::Stalled)),
        }
    }
}

/// A request that is being answered.
#[derive(Debug)]
pub(super) struct Running {
    activity: Arc<Activity>,
    waiting: bool,
}

impl Running {
    /// The client is asked to take bytes, or took some.
    fn wait_for_client(&mut self, waiting: bool) {
        let mut state = self.activity.state();
        match (self.waiting, waiting) {
            (false, true) => state.waiting += 1,
            (true, false) => state.waiting -= 1,
            _ => {}
        }
        state.since = Instant::now();
        self.waiting = waiting;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.wait_for_client(false);
        self.activity.state().requests -= 1;
    }
}

/// An answer's body. hyper asks it for more only when the client has taken what was there.
pub(super) struct WatchedBody {
    body: Body,
    running: Running,
}

impl WatchedBody {
    pub(super) fn new(body: Body, mut running: Running) -> Self {
        running.wait_for_client(true);
        Self { body, running }
    }
}

impl HttpBody for WatchedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.running.wait_for_client(false);
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        self.running.wait_for_client(frame.is_some());
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
