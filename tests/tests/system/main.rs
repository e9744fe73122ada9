//! The whole system through its front door.

mod attacks;
mod callers;
mod drain;
mod events;
mod exporting;
mod faults;
mod gateway;
mod inputs;
mod resilience;
mod routes;
mod samples;
mod sessions;
mod settings;
mod shopping;
mod tracing;
