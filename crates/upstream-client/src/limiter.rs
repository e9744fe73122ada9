//! How many calls one service gets at once, and who goes without when that is not enough.
//!
//! A bulkhead whose size follows the service: it shrinks when answers become slow or are refused and grows
//! when they are fast and the room is used (`gradient.rs`). Who finds no room waits a little, the most
//! important first (`queue.rs`); who waits too long is shed. What is shared between threads, and how a
//! place is handed over, is `places.rs`.

mod gradient;
mod places;
mod queue;
mod sync;

#[cfg(test)]
mod interleavings;
#[cfg(test)]
mod races;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;

use serde::Serialize;

pub(crate) use places::Limiter;

/// How a limiter adapts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LimiterSettings {
    /// The most calls at once, whatever the latency.
    pub(crate) most: usize,
    /// Where the limit starts, and what it comes back to when all is well, used or not.
    pub(crate) initial: usize,
    /// How many times the usual latency is taken before the limit shrinks. Of two limiters before one service,
    /// the one with the lower tolerance gives way first.
    pub(crate) tolerance: f64,
}

impl Default for LimiterSettings {
    fn default() -> Self {
        Self { most: 200, initial: 25, tolerance: 2.0 }
    }
}

/// What a call taught about the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// An answer, as fast as the service can: its latency counts.
    Success,
    /// A sign of overload: no answer in the full time of the call, or a refusal because of load.
    Overloaded,
    /// Nothing, as for a call that its caller has left.
    Ignored,
}

/// There was no room for the call, or not in time. It was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no room for the call")]
pub(crate) struct Shed;

/// What a limiter is doing now, for metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LimiterState {
    /// How many calls may run at once.
    pub limit: usize,
    /// How many are running; for a while more than `limit` when that has shrunk.
    pub in_flight: usize,
    /// How many wait.
    pub queued: usize,
    /// How many were shed since the start.
    pub shed: ShedCounts,
}

/// How many calls were shed, by priority.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ShedCounts {
    /// Of the writes that cost most when lost.
    pub checkout: u64,
    /// Of the calls somebody waits for.
    pub page: u64,
    /// Of the calls that can come again.
    pub batch: u64,
}
