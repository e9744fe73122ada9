//! Whole requests through a whole stack: what a client, a proxy and the log see.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod access_log;
mod authentication;
mod context;
mod cors;
mod deadline;
mod extract;
mod problems;
mod quota;
mod reads;
mod support;
mod writes;
