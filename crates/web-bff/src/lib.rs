//! The backend of the web app: one call a page, everything expanded.

mod app;
mod auth;
mod recall;
pub mod routes;
mod screens;
pub mod settings;
mod streams;
mod views;

pub use app::{AppState, app, build};
pub use settings::Settings;
