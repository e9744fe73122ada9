//! Writes happen once under one key, and end whether or not their client waits.

mod leaving;
mod once;
mod replay;
mod shop;
pub(crate) mod store;
mod trouble;
