//! `demo-shop`: opens the shop, says where, and closes it at a signal.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use clap::Parser;
use demo_shop::{Options, healthy, start};
use service_runtime::settings::environment;
use service_runtime::{BuildError, Telemetry, TelemetrySettings};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

const NAME: &str = "demo-shop";
const VERSION: &str = env!("CARGO_PKG_VERSION");

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    if options.healthy {
        return report(healthy(&options).await);
    }
    let filter = EnvFilter::builder().with_default_directive(tracing::Level::INFO.into()).from_env_lossy();
    let ansi = io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(ansi).with_writer(io::stderr).init();
    report(run(options).await)
}

fn report(outcome: Result<(), BuildError>) -> ExitCode {
    let Err(error) = outcome else {
        return ExitCode::SUCCESS;
    };
    // Nothing is left to do when even this cannot be written.
    let _ = writeln!(io::stderr(), "demo-shop: {error}");
    ExitCode::FAILURE
}

async fn run(options: Options) -> Result<(), BuildError> {
    // Before anyone can know that it runs, so that a signal that comes early is not its end.
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let variables: Vec<_> = environment().collect();
    let telemetry = Telemetry::start(NAME, VERSION, &TelemetrySettings::default(), &variables)?;
    let running = start(options, &telemetry).await?;
    // Scripts wait for these lines.
    write!(io::stdout(), "{running}")?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("closing");
    running.stop().await;
    // It blocks, and what it waits for runs here.
    tokio::task::spawn_blocking(move || telemetry.end()).await?;
    Ok(())
}
