use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use slab::Slab;
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

/// How long a client that is waited for in vain may take to see that its connection ends.
const FAREWELL: Duration = Duration::from_secs(1);

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
    /// Requests whose answer the client has not taken whole.
    answers: Slab<Answer>,
    /// Since when there is none of them.
    quiet: Instant,
    /// When the head that is being read began to arrive.
    head: Option<Instant>,
    http2: bool,
}

/// An answer, from the arrival of its request until its last byte is written.
///
/// Each has a clock of its own: a stream that is stalled is so however busy the others on its connection are.
#[derive(Debug)]
struct Answer {
    /// Who holds a part of it: whoever makes it, and every piece of its body that is not yet written whole.
    shares: usize,
    /// Whether what is still missing of it is ours to make.
    making: bool,
    /// Since when the client has taken nothing, if there is something for it to take.
    offered: Option<Instant>,
}

impl Answer {
    /// The client took some of it.
    fn taken(&mut self) {
        let all = self.making && self.shares == 1;
        self.offered = (!all).then(Instant::now);
    }
}

impl Activity {
    /// A connection that has just been accepted: the clock of its first head runs.
    pub(super) fn new(limits: Limits) -> Self {
        let now = Instant::now();
        let state = State { answers: Slab::new(), quiet: now, head: Some(now), http2: false };
        Self { limits, state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes arrived. On a quiet HTTP/1 connection they begin a head; on HTTP/2 they may be anything.
    pub(super) fn received(&self) {
        let mut state = self.state();
        if state.answers.is_empty() && !state.http2 && state.head.is_none() {
            state.head = Some(Instant::now());
        }
    }

    /// A request arrived.
    pub(super) fn begin(self: &Arc<Self>, http2: bool) -> Share {
        let mut state = self.state();
        state.head = None;
        state.http2 = http2;
        let answer = state.answers.insert(Answer { shares: 1, making: true, offered: None });
        Share { activity: Arc::clone(self), answer }
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
        match state.head {
            _ if !state.answers.is_empty() => {
                let offered = state.answers.iter().filter_map(|(_, answer)| answer.offered);
                offered.min().map(|since| (since + self.limits.write, Overdue::Stalled))
            }
            Some(began) => Some((began + self.limits.header, Overdue::Head)),
            None => Some((state.quiet + self.limits.idle, Overdue::Idle)),
        }
    }

    /// How long the connection may take to end by itself.
    pub(super) fn patience(&self, reason: Overdue) -> Duration {
        match reason {
            // Other requests on the connection may still be answered.
            Overdue::Stalled if self.state().http2 => self.limits.write,
            _ => FAREWELL,
        }
    }
}

/// A part of an answer, held for as long as it is not done.
#[derive(Debug)]
pub(super) struct Share {
    activity: Arc<Activity>,
    answer: usize,
}

impl Share {
    /// A share for another part, which the client can take from now on.
    pub(super) fn split(&self) -> Self {
        self.with(|answer| answer.shares += 1);
        Self { activity: Arc::clone(&self.activity), answer: self.answer }
    }

    /// There is something for the client to take.
    pub(super) fn offer(&self) {
        self.with(|answer| {
            answer.making = false;
            answer.offered.get_or_insert_with(Instant::now);
        });
    }

    /// Once the client has what there is, the rest is ours to make.
    pub(super) fn make(&self) {
        self.with(|answer| {
            answer.making = true;
            if answer.shares == 1 {
                answer.offered = None;
            }
        });
    }

    /// The client took some.
    pub(super) fn taken(&self) {
        self.with(Answer::taken);
    }

    fn with(&self, change: impl FnOnce(&mut Answer)) {
        change(&mut self.activity.state().answers[self.answer]);
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut state = self.activity.state();
        let answer = &mut state.answers[self.answer];
        answer.shares -= 1;
        if answer.shares > 0 {
            return answer.taken();
        }
        state.answers.remove(self.answer);
        if state.answers.is_empty() {
            state.quiet = Instant::now();
        }
    }
}

#[cfg(test)]
mod tests;
