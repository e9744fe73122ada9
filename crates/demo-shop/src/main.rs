//! `demo-shop`: opens the shop, says where, and closes it at a signal.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use demo_shop::{Options, Running, start};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    let filter = EnvFilter::builder().with_default_directive(tracing::Level::INFO.into()).from_env_lossy();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).init();
    match run(options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("demo-shop: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<(), Box<dyn std::error::Error>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let running = start(options).await?;
    print_addresses(&running)?;
    tokio::select! {
        _ = terminate.recv() => {}
        interrupted = tokio::signal::ctrl_c() => interrupted?,
    }
    tracing::info!("closing");
    running.stop().await;
    Ok(())
}

/// For scripts, which wait for these lines.
fn print_addresses(running: &Running) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for (service, address) in &running.addresses {
        writeln!(out, "listening {service} http://{address}")?;
    }
    out.flush()
}
