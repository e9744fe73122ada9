//! The outbound half: one resilient client per domain service.
//!
//! An [`Upstream`] is a domain service that can be called. An [`Operation`] says once what is true of
//! every such call; [`Upstream::call`] makes one. What happens to it on its way is `stack.rs`, read from
//! top to bottom. [`Outbound`] is what the clients of one service share.

mod answer;
mod batch;
#[cfg(feature = "bench")]
#[doc(hidden)]
pub mod bench;
mod breaker;
mod budget;
mod cache;
mod call;
mod error;
mod events;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod labels;
mod latency;
mod layers;
mod limiter;
mod observe;
mod operation;
mod outbound;
mod outcome;
mod settings;
mod stack;
mod token;
mod track;
mod transport;
mod upstream;
mod window;

pub use batch::Batch;
pub use breaker::{BreakerPosition, BreakerState};
pub use budget::BudgetState;
pub use cache::{Cache, CacheState, Cached};
pub use call::CallBuilder;
pub use error::{CallError, CallErrorKind};
pub use events::{Event, EventId, Events};
pub use latency::LatencyState;
pub use limiter::{LimiterState, ShedCounts};
pub use operation::{Credential, Operation, Reason, Refusal};
pub use outbound::{Outbound, OutboundState};
pub use settings::{CacheSettings, UpstreamSettings};
pub use token::{NoTokens, TokenError, TokenSource};
pub use track::{CallCounts, OperationState};
pub use transport::BadUpstream;
pub use upstream::{Upstream, UpstreamState};

#[cfg(test)]
mod tests;
