use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::cli::Failure;
use crate::drain::{Phase, Progress, Signal, Signals};
use crate::settings::{AdminSettings, ServerSettings};
use crate::{App, Server, admin};

/// The settings that running a service needs.
pub(crate) struct Plan {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    pub(crate) listen: SocketAddr,
    pub(crate) admin: AdminSettings,
    pub(crate) server: ServerSettings,
    /// All settings as JSON, secrets redacted.
    pub(crate) config: String,
}

/// A service that has its ports, and is about to serve.
pub(crate) struct Bound {
    plan: Plan,
    progress: Progress,
    router: Router,
    admin_router: Router,
    public: TcpListener,
    admin: TcpListener,
}

/// Admin connections do not count against the public ones: an overloaded service is still alive.
const ADMIN_CONNECTIONS: usize = 64;

impl Bound {
    pub(crate) async fn open(plan: Plan, app: App) -> Result<Self, Failure> {
        let progress = Progress::default();
        Ok(Self {
            public: bind(plan.listen).await?,
            admin: bind(plan.admin.listen).await?,
            router: app.router,
            admin_router: admin::router(&plan, progress.clone(), app.admin),
            progress,
            plan,
        })
    }

    /// Serves until a signal comes, and then as long as requests run.
    pub(crate) async fn run(self, mut signals: Signals) -> Result<(), Failure> {
        let leaving = CancellationToken::new();
        let stop = CancellationToken::new();
        let admin_stop = CancellationToken::new();
        info!(
            service.name = self.plan.name,
            service.version = self.plan.version,
            server.address = self.public.local_addr().ok().map(tracing::field::display),
            admin.address = self.admin.local_addr().ok().map(tracing::field::display),
            "serving"
        );
        let public = Server::new(&self.plan.server).leaving(leaving.clone()).serve(
            self.public,
            self.router,
            stop.clone().cancelled_owned(),
        );
        let public = tokio::spawn(public);
        let admin = Server::new(&ServerSettings {
            max_connections: ADMIN_CONNECTIONS,
            drain_timeout: Duration::from_secs(1),
            ..self.plan.server.clone()
        });
        let admin = admin.serve(self.admin, self.admin_router, admin_stop.clone().cancelled_owned());
        let admin = tokio::spawn(admin);
        self.progress.reach(Phase::Ready);

        let signal = signals.next().await;
        self.progress.reach(Phase::Draining);
        leaving.cancel();
        let drained = async {
            let lame_duck = match signal {
                Signal::Terminate => self.plan.server.lame_duck,
                Signal::Interrupt => Duration::ZERO,
            };
            info!(signal = signal.name(), wait = ?lame_duck, "draining: not ready any more");
            sleep(lame_duck).await;
            info!(wait = ?self.plan.server.drain_timeout, "draining: nothing is accepted any more");
            stop.cancel();
            let public = public.await;
            admin_stop.cancel();
            public.and(admin.await).map_err(Failure::refused)
        };
        let outcome = tokio::select! {
            outcome = drained => outcome,
            second = signals.next() => return Err(Failure {
                code: second.exit_code(),
                line: format!("ended at once by a second signal, {}", second.name()),
            }),
        };
        info!("stopped");
        outcome
    }
}

async fn bind(address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address)
        .await
        .map_err(|error| Failure::refused(format!("cannot listen on {address}: {error}")))
}

#[cfg(test)]
mod tests;
