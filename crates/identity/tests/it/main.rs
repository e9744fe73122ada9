//! Identity through its front door: real tokens, and a provider behind a real socket.

#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

mod api_keys;
mod attacks;
mod bearer;
mod browser;
mod dpop;
mod endpoints;
mod exchange;
mod exchanger;
mod issuers;
mod keys;
mod oidc;
mod oidc_provider;
mod oidc_refresh;
mod oidc_tokens;
mod partner_callers;
mod provider;
mod signer;
mod support;
mod tokens;
