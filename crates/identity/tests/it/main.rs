//! Identity through its front door: real tokens, and a provider behind a real socket.

#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

mod api_keys;
mod attacks;
mod bearer;
mod endpoints;
mod exchange;
mod exchanger;
mod keys;
mod provider;
mod signer;
mod support;
mod tokens;
