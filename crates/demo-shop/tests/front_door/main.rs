//! The shop, through its front door: real sockets, a real client.

#![expect(clippy::unwrap_used, reason = "what helps the tests may fail as they do")]

mod auth;
mod binary;
mod capacity;
mod catalog;
mod client;
mod control;
mod events;
mod faults;
mod idempotency;
mod identity;
mod load;
mod people;
mod reading_orders;
mod seed;
mod writing_orders;
