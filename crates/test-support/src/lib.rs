//! Fakes and the test client, for tests only.

mod client;
mod context;
mod fake_upstream;
mod serve;

pub use client::{Answer, Client};
pub use context::{caller, context, context_with, fixed_tokens};
pub use fake_upstream::{FakeUpstream, Reply, Seen};
pub use serve::Served;
