//! The backend of the mobile app: small answers, few round trips.

mod app;
pub mod routes;
mod screens;
pub mod settings;
mod text;

pub use app::{AppState, app, build};
pub use settings::Settings;
