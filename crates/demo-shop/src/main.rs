//! `demo-shop`: opens the shop, says where, and closes it at a signal.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use clap::Parser;
use demo_shop::{Options, healthy, start};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

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

fn report(outcome: Result<(), Box<dyn std::error::Error>>) -> ExitCode {
    let Err(error) = outcome else {
        return ExitCode::SUCCESS;
    };
    // Nothing is left to do when even this cannot be written.
    let _ = writeln!(io::stderr(), "demo-shop: {error}");
    ExitCode::FAILURE
}

async fn run(options: Options) -> Result<(), Box<dyn std::error::Error>> {
    // Before anyone can know that it runs, so that a signal that comes early is not its end.
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let running = start(options).await?;
    // Scripts wait for these lines.
    write!(io::stdout(), "{running}")?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("closing");
    running.stop().await;
    Ok(())
}
