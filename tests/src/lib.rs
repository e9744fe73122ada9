//! Starts the real programs and the real gateway on free loopback ports, and talks to them as clients do.
//!
//! Every answer that a [`Frontend`] gets is checked against the OpenAPI document of its BFF. What the programs write
//! goes to `target/e2e/<run>/<program>.log`: the end of it is shown when a program does not start, and all of it stays
//! when a test fails. The programs are those that were built last: `cargo build --workspace --bins`.

mod admin;
mod bff;
mod capacity;
mod client;
mod collector;
mod contract;
mod credential;
mod frontend;
mod gateway;
mod process;
mod programs;
mod redis;
mod running;
mod shop;
mod system;

pub use admin::ADMIN_TOKEN;
pub use bff::{Bff, Kind};
pub use client::{Answer, Client, Content, Reading};
pub use collector::{Collected, Collector, Exported};
pub use contract::{Contract, assert_problem};
pub use credential::{Credential, WEB_ORIGIN, consent, cookies, location, sign_in};
pub use frontend::Frontend;
pub use gateway::Gateway;
pub use process::{Env, Process, until, within};
pub use programs::{RunDir, program, repository};
pub use redis::Redis;
pub use running::Running;
pub use shop::Shop;
pub use system::{ACME_KEY, EVERY_CALL, System};
