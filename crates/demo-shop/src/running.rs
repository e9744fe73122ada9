//! Starts the services, and stops them.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use request_context::Observe;
use service_runtime::{BuildError, Server, ServerSettings, Telemetry, ready};
use tokio::net::TcpListener;
use tokio::time::{Instant, interval_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use crate::auth::Doorman;
use crate::identity::{self, Provider};
use crate::options::Options;
use crate::service::Service;
use crate::services::routes;
use crate::stack::{Surroundings, surround};
use crate::state::Shop;

/// How long requests may run on when the shop closes: a fault may hold them for ever.
const DRAIN: Duration = Duration::from_secs(1);

/// A shop that is open. Dropping it closes it without waiting.
pub struct Running {
    /// Where each service listens.
    pub addresses: Vec<(Service, SocketAddr)>,
    closing: CancellationToken,
    tasks: TaskTracker,
}

/// Why a shop cannot open.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The port is taken, or not ours to take.
    #[error("cannot listen on {address} for {service}: {cause}")]
    Listen {
        /// Who would listen.
        service: Service,
        /// Where.
        address: SocketAddr,
        /// What the system says.
        cause: io::Error,
    },
    /// The base port is so high that the last services would have none.
    #[error("there is no port for {service}: choose a lower base port")]
    NoPort {
        /// The first service without one.
        service: Service,
    },
}

/// Opens the shop, which shows its requests as `telemetry` says: all ports are bound when it returns.
pub async fn start(options: Options, telemetry: &Telemetry) -> Result<Running, StartError> {
    let mut listeners = Vec::new();
    for service in options.services() {
        listeners.push((service, listen(&options, service).await?));
    }
    let closing = CancellationToken::new();
    let tasks = TaskTracker::new();
    let shop = Arc::new(Shop::open(options.seed, options.heartbeat, closing.clone()));
    tasks.spawn(keep_moving(shop.clone(), options.status_interval));
    let provider = Arc::new(Provider::new(&options, &shop));
    let verifier = Arc::new(provider.verifier());
    let apps = Apps { verifier, provider, shop, options, observer: telemetry.observer() };
    let mut addresses = Vec::new();
    for (service, listener) in listeners {
        let address = listener.local_addr().expect("a bound listener has an address");
        addresses.push((service, address));
        announce(service, address);
        let app = apps.app(service);
        let settings = ServerSettings { drain_timeout: DRAIN, ..ServerSettings::default() };
        let until = closing.clone().cancelled_owned();
        tasks.spawn(async move { Server::new(&settings).abortable().serve(listener, app, until).await });
    }
    tasks.close();
    Ok(Running { addresses, closing, tasks })
}

/// Whether the services that these options run on this machine answer. They are not asked for anything that a fault
/// or a count could touch.
pub async fn healthy(options: &Options) -> Result<(), BuildError> {
    for service in options.services() {
        ready::ask(options.address(service)?, "/_faults").await?;
    }
    Ok(())
}

impl Running {
    /// The base URL of a service that runs here.
    pub fn url(&self, service: Service) -> Option<String> {
        let (_, address) = self.addresses.iter().find(|(running, _)| *running == service)?;
        Some(format!("http://{address}"))
    }

    /// Closes the shop; requests that run get a moment to end.
    pub async fn stop(self) {
        self.closing.cancel();
        self.tasks.wait().await;
    }
}

/// One line for each service: `listening orders http://127.0.0.1:3002`.
impl fmt::Display for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = self.addresses.iter();
        lines.try_for_each(|(service, address)| writeln!(f, "listening {service} http://{address}"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.closing.cancel();
    }
}

/// What the apps of all services are made from.
struct Apps {
    options: Options,
    shop: Arc<Shop>,
    provider: Arc<Provider>,
    verifier: Arc<crate::tokens::Verifier>,
    observer: Arc<dyn Observe>,
}

impl Apps {
    fn app(&self, service: Service) -> Router {
        let doorman = || Doorman { service, verifier: self.verifier.clone() };
        let surroundings = Surroundings {
            doorman: (service != Service::Identity).then(doorman),
            shed_above: self.options.shed_above,
            capacity: self.options.capacity(service),
            seed: self.options.seed,
            observer: Arc::clone(&self.observer),
        };
        let app = surround(routes(service, &self.shop, &self.provider), &self.shop, surroundings);
        // As the test bench, neither faulted nor counted.
        if service == Service::Identity { app.merge(identity::bench(&self.provider)) } else { app }
    }
}

async fn listen(options: &Options, service: Service) -> Result<TcpListener, StartError> {
    let address = options.address(service)?;
    let listener = TcpListener::bind(address).await;
    listener.map_err(|cause| StartError::Listen { service, address, cause })
}

fn announce(service: Service, address: SocketAddr) {
    info!(service.name = service.name(), server.address = %address, "listening");
    if service == Service::Identity {
        warn!("THE IDENTITY PROVIDER IS FOR DEVELOPMENT ONLY: it gives anyone a token for any user");
    }
}

/// Lets orders move on until the shop closes.
async fn keep_moving(shop: Arc<Shop>, rest: Duration) {
    let mut ticks = interval_at(Instant::now() + rest, rest);
    let closing = shop.closing.clone();
    while closing.run_until_cancelled(ticks.tick()).await.is_some() {
        shop.orders.move_on(rest, &shop.announcements);
    }
}
