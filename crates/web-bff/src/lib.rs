//! The backend of the web app: one call a page, everything expanded.

mod app;
mod auth;
pub mod routes;
mod screens;
pub mod settings;
mod views;

pub use app::{AppState, app, build};
pub use settings::Settings;
