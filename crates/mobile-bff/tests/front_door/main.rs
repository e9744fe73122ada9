//! The service through its front door: a real socket, fake services behind it.

mod app_version;
mod home;
mod orders;
mod products;
mod tokens;

use mobile_bff::{AppState, Settings, app};
use service_runtime::Telemetry;
use service_runtime::settings::load;
use test_support::{Client, FakeBackend, Served};

/// The service with fake services behind it.
struct Bff {
    backend: FakeBackend,
    served: Served,
}

impl Bff {
    async fn start() -> Self {
        Self::with(&[]).await
    }

    /// With these settings, as environment variables.
    async fn with(changes: &[(&str, &str)]) -> Self {
        let backend = FakeBackend::start().await;
        let mut env = backend.env(&["users", "orders", "catalog", "notifications"]);
        env.extend(changes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let settings: Settings = load(None, env.into_iter()).expect("good settings");
        let state = AppState::new(&settings, &Telemetry::off()).expect("good settings");
        Self { backend, served: Served::start(app(state, &settings)).await }
    }

    /// A client of the service who is `u_42`.
    fn client(&self) -> Client {
        self.anonymous().with("authorization", &self.backend.bearer("u_42"))
    }

    fn anonymous(&self) -> Client {
        Client::new(&self.served.url)
    }
}
