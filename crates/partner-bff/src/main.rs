//! The `partner-bff` program.

use std::process::ExitCode;

use mimalloc::MiMalloc;
use service_runtime::Service;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    service_runtime::main(Service {
        name: partner_bff::settings::NAME,
        version: env!("CARGO_PKG_VERSION"),
        openapi: partner_bff::routes::openapi,
        build: partner_bff::build,
        commands: vec![partner_bff::key_command::key()],
    })
}
