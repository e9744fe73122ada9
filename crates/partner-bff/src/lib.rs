//! The backend of the partners: a stable, versioned API behind keys.

mod app;
mod document;
mod envelope;
pub mod key_command;
mod money;
mod parameters;
pub mod routes;
mod scopes;
mod screens;
pub mod settings;
pub mod versions;

pub use app::{AppState, app, build};
pub use settings::Settings;
