//! The backend of the mobile app: small answers, few round trips.

mod app;
mod app_version;
mod document;
pub mod routes;
mod scopes;
mod screens;
pub mod settings;
mod text;

pub use app::{AppState, app, build};
pub use app_version::{NoVersion, Version};
pub use settings::Settings;
