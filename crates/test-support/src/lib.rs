//! Fakes and the test client, for tests only.

mod backend;
mod browser;
mod client;
mod context;
#[cfg(feature = "bench")]
mod cpu_time;
mod fake_upstream;
mod metrics;
mod proof_key;
mod provider;
mod redis;
mod serve;

pub use backend::FakeBackend;
pub use browser::Browser;
pub use client::{Answer, Client, Reading};
pub use context::{caller, context, context_with, fixed_tokens};
#[cfg(feature = "bench")]
pub use cpu_time::CpuTime;
pub use fake_upstream::{FakeUpstream, Reply, Seen, Speaker};
pub use metrics::Metrics;
pub use proof_key::ProofKey;
pub use provider::Provider;
pub use redis::RedisServer;
pub use serve::Served;
