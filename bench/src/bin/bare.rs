//! `bare`: the screens with hyper and nothing else.

use std::process::ExitCode;

use bench::{Failure, bare, exit_code};
use clap::Parser;
use mimalloc::MiMalloc;
use tokio::runtime::Builder;

/// The allocator of the BFFs, so that it makes no difference.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    exit_code("bare", run(bare::Options::parse()))
}

fn run(options: bare::Options) -> Result<(), Failure> {
    let runtime = Builder::new_multi_thread().worker_threads(options.worker_threads).enable_all().build()?;
    runtime.block_on(bare::run(options))
}
