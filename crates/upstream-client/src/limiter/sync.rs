//! What threads meet at. `races.rs` compiles `places.rs` with others, under a scheduler that tries what can happen.

pub(super) use std::sync::Mutex;
pub(super) use tokio::sync::oneshot;
