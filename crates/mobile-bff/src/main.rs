//! The `mobile-bff` program.

use std::process::ExitCode;

use mimalloc::MiMalloc;
use service_runtime::Service;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    service_runtime::main(Service {
        name: mobile_bff::settings::NAME,
        version: env!("CARGO_PKG_VERSION"),
        openapi: mobile_bff::routes::openapi,
        build: mobile_bff::build,
        commands: vec![],
    })
}
