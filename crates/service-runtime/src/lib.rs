//! What every service needs around its routes: settings, telemetry, health, listener, drain and command line.
//!
//! A service's `main` hands [`main`] its settings type and a function that makes its [`App`]; the rest is
//! here. Connections are accepted by [`listener`], because `axum::serve` bounds neither how many there are
//! nor how long a request's head may take. A service stops in steps:
//!
//! 1. SIGTERM: `/readyz` fails, requests are still served, for `server.lame_duck`.
//!    Ctrl-C (SIGINT) skips this step: a person waits.
//! 2. Nothing is accepted any more, every connection and event stream is told to end, requests that run, and tasks that outlive
//!    theirs, may run on for `server.drain_timeout`.
//! 3. The process exits with 0. A second signal ends it at once, with 128 plus the signal's number.
//!
//! Other exit codes: 78 (`EX_CONFIG`) for settings that cannot be used, before a port is opened; 71
//! (`EX_OSERR`) for a port that is taken or anything else that the system refuses; 2 for a wrong command line; 1 for
//! a [`ServiceCommand`] that cannot be carried out.

mod admin;
mod cli;
mod drain;
pub mod listener;
mod run;
pub mod settings;
mod telemetry;
mod upstreams;

use std::error::Error;
use std::process::ExitCode;

use axum::Router;
use tokio_util::task::TaskTracker;

pub use cli::{Output, ServiceCommand};
pub use listener::{ConnectionAbort, Server, serve};
pub use settings::{AdminSettings, Invalid, Secret, ServerSettings, ServiceSettings, SettingsError};
pub use telemetry::{Telemetry, TelemetrySettings};
pub use tokio_util::sync::CancellationToken;
pub use upstreams::upstreams;

/// A service, before it knows its settings.
pub struct Service<S, B> {
    /// The program's name, such as `web-bff`.
    pub name: &'static str,
    /// The program's version.
    pub version: &'static str,
    /// Makes the OpenAPI document, as JSON.
    pub openapi: fn() -> String,
    /// Makes the app from the settings, and what it shows of itself; an [`AsyncFnOnce`] that waits for no I/O.
    pub build: B,
    /// Its own commands, beside those that every service has.
    pub commands: Vec<ServiceCommand<S>>,
}

/// What a service offers, once it knows its settings.
pub struct App {
    /// The routes of the public listener, with all their layers.
    pub router: Router,
    /// Routes of the admin listener beside those that every service has. All of them want the admin token.
    pub admin: Router,
    /// What runs on when its request is gone, and is waited for before the process ends.
    pub tasks: Vec<TaskTracker>,
    /// Cancelled when nothing is accepted any more: what is answered without end ends then.
    pub closing: CancellationToken,
}

impl App {
    /// An app without admin routes of its own, without tasks that outlive their requests and without event streams.
    pub fn new(router: Router) -> Self {
        Self { router, admin: Router::new(), tasks: vec![], closing: CancellationToken::new() }
    }

    /// The same, with these routes on the admin listener.
    #[must_use]
    pub fn admin(mut self, routes: Router) -> Self {
        self.admin = routes;
        self
    }

    /// The same, telling its event streams through this that they are to end.
    #[must_use]
    pub fn closing(mut self, closing: CancellationToken) -> Self {
        self.closing = closing;
        self
    }

    /// The same, with these tasks to wait for too.
    #[must_use]
    pub fn tasks(mut self, tasks: TaskTracker) -> Self {
        self.tasks.push(tasks);
        self
    }
}

/// Why an app cannot be made from its settings. Its text is printed behind the service's name.
pub type BuildError = Box<dyn Error + Send + Sync>;

/// Does what the command line asks for, and returns when that is done.
pub fn main<S, B>(service: Service<S, B>) -> ExitCode
where
    S: ServiceSettings,
    B: AsyncFnOnce(S, Telemetry) -> Result<App, BuildError>,
{
    cli::main(service)
}
