use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use crate::cli::Failure;
use crate::drain::{Phase, Progress, Signal, Signals};
use crate::settings::{AdminSettings, ServerSettings};
use crate::{App, Server, Telemetry, admin};

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
    tasks: Vec<TaskTracker>,
    closing: CancellationToken,
    public: TcpListener,
    admin: TcpListener,
}

/// Admin connections do not count against the public ones: an overloaded service is still alive.
const ADMIN_CONNECTIONS: usize = 64;
const ADMIN_DRAIN: Duration = Duration::from_secs(1);

impl Bound {
    pub(crate) async fn open(plan: Plan, app: App, telemetry: &Telemetry) -> Result<Self, Failure> {
        let progress = Progress::default();
        Ok(Self {
            public: bind(plan.listen).await?,
            admin: bind(plan.admin.listen).await?,
            router: app.router,
            admin_router: admin::router(&plan, progress.clone(), telemetry.clone(), app.admin),
            tasks: app.tasks,
            closing: app.closing,
            progress,
            plan,
        })
    }

    /// Serves until a signal comes, and then as long as requests run.
    pub(crate) async fn run(self, mut signals: Signals) -> Result<(), Failure> {
        info!(
            service.name = self.plan.name,
            service.version = self.plan.version,
            server.address = self.public.local_addr().ok().map(display),
            admin.address = self.admin.local_addr().ok().map(display),
            "serving"
        );
        let serving = self.start();
        let first = signals.next().await;
        tokio::select! {
            outcome = serving.drain(first) => outcome,
            second = signals.next() => Err(Failure {
                code: second.exit_code(),
                line: format!("ended at once by a second signal, {}", second.name()),
            }),
        }
    }

    fn start(self) -> Serving {
        let [leaving, stop, admin_stop] = [(); 3].map(|()| CancellationToken::new());
        let public = Server::new(&self.plan.server).leaving(leaving.clone());
        let stopped = stop.clone().cancelled_owned();
        let public = tokio::spawn(public.serve(self.public, self.router, stopped));
        let admin = Server::new(&ServerSettings {
            max_connections: ADMIN_CONNECTIONS,
            drain_timeout: ADMIN_DRAIN,
            ..self.plan.server.clone()
        });
        let stopped = admin_stop.clone().cancelled_owned();
        let admin = tokio::spawn(admin.serve(self.admin, self.admin_router, stopped));
        self.progress.reach(Phase::Ready);
        Serving {
            settings: self.plan.server,
            progress: self.progress,
            tasks: self.tasks,
            closing: self.closing,
            leaving,
            stop,
            admin_stop,
            public,
            admin,
        }
    }
}

/// A service that serves.
struct Serving {
    settings: ServerSettings,
    progress: Progress,
    tasks: Vec<TaskTracker>,
    closing: CancellationToken,
    leaving: CancellationToken,
    stop: CancellationToken,
    admin_stop: CancellationToken,
    public: JoinHandle<()>,
    admin: JoinHandle<()>,
}

impl Serving {
    /// The admin listener ends last, so that whoever watches the drain sees all of it.
    async fn drain(self, signal: Signal) -> Result<(), Failure> {
        self.progress.reach(Phase::Draining);
        self.leaving.cancel();
        let lame_duck = match signal {
            Signal::Terminate => self.settings.lame_duck,
            Signal::Interrupt => Duration::ZERO,
        };
        info!(signal = signal.name(), wait = ?lame_duck, "draining: not ready any more");
        sleep(lame_duck).await;
        info!(wait = ?self.settings.drain_timeout, "draining: nothing is accepted any more");
        let end = Instant::now() + self.settings.drain_timeout;
        // Not before: until here a client that comes back could come back to us.
        self.closing.cancel();
        self.stop.cancel();
        let public = self.public.await;
        // Only requests begin tasks, and there are none any more.
        if timeout_at(end, ended(&self.tasks)).await.is_err() {
            let tasks = self.tasks.iter().map(TaskTracker::len).sum::<usize>();
            warn!(tasks, "drain timeout: tasks are cut");
        }
        self.admin_stop.cancel();
        let outcome = public.and(self.admin.await).map_err(Failure::refused);
        info!("stopped");
        outcome
    }
}

async fn ended(tasks: &[TaskTracker]) {
    for tasks in tasks {
        tasks.close();
        tasks.wait().await;
    }
}

async fn bind(address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address)
        .await
        .map_err(|error| Failure::refused(format!("cannot listen on {address}: {error}")))
}

#[cfg(test)]
mod tests;
