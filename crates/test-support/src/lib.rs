//! Fakes and the test client, for tests only.

mod backend;
mod browser;
mod client;
mod context;
mod fake_upstream;
mod provider;
mod redis;
mod serve;

pub use backend::FakeBackend;
pub use browser::Browser;
pub use client::{Answer, Client};
pub use context::{caller, context, context_with, fixed_tokens};
pub use fake_upstream::{FakeUpstream, Reply, Seen};
pub use provider::Provider;
pub use redis::RedisServer;
pub use serve::Served;
