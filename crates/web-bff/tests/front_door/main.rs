//! The service through its front door: a real socket, fake services behind it.

mod auth;
mod dashboard;
mod events;
mod forged_requests;
mod orders;
mod products;

use service_runtime::Telemetry;
use service_runtime::settings::load;
use test_support::{Browser, Client, FakeBackend, Served};
use web_bff::{AppState, Settings, app};

/// The settings with which these fakes are found, and these changes.
fn settings(backend: &FakeBackend, changes: &[(&str, &str)]) -> Settings {
    let mut env = backend.env(&["users", "orders", "catalog", "notifications", "billing", "usage"]);
    env.extend(changes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    load(None, env.into_iter()).expect("good settings")
}

/// The service with fake services behind it.
struct Bff {
    backend: FakeBackend,
    served: Served,
    /// Of `u_42`, who is signed in.
    browser: Browser,
}

impl Bff {
    async fn start() -> Self {
        Self::with(&[]).await
    }

    /// With these settings, as environment variables.
    async fn with(changes: &[(&str, &str)]) -> Self {
        let backend = FakeBackend::start().await;
        let settings = settings(&backend, changes);
        let state = AppState::new(&settings, &Telemetry::off()).expect("good settings");
        let served = Served::start(app(state, &settings)).await;
        let browser = backend.browser(&served.url, "u_42").await;
        Self { backend, served, browser }
    }

    /// A client of the service who is `u_42`.
    fn client(&self) -> Client {
        self.browser.client()
    }

    fn anonymous(&self) -> Client {
        Client::new(&self.served.url)
    }
}
