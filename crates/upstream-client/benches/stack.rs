//! What a call costs beyond its transport, as a whole and layer by layer: CPU time of the one thread that does it.

use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use mimalloc::MiMalloc;
use test_support::CpuTime;
use tokio::runtime::Runtime;
use upstream_client::bench::{Ask, BARE, BUILD, Case, LAYERS, WHOLE};

// As in the services.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn measure(criterion: &mut Criterion<CpuTime>, (name, set_up): Case) {
    let runtime = runtime();
    let _entered = runtime.enter();
    let ask = set_up();
    criterion.bench_function(name, |bencher| bencher.iter(|| answer(black_box(&ask))));
}

/// A runtime as in a busy service: some timer is always about to go off, so that another one wakes nobody.
fn runtime() -> Runtime {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    runtime.block_on(async {
        tokio::spawn(tokio::time::sleep(Duration::from_millis(5)));
        tokio::time::sleep(Duration::from_millis(2)).await;
    });
    runtime
}

/// Asks again as often as it takes: the service is in memory, and nothing else is waited for.
fn answer(ask: &Ask) {
    let mut asked = pin!(ask());
    while asked.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {}
}

fn all(criterion: &mut Criterion<CpuTime>) {
    for case in [BARE].into_iter().chain(WHOLE).chain([BUILD]).chain(LAYERS) {
        measure(criterion, case);
    }
}

criterion_group! {
    name = stack;
    config = CpuTime::criterion();
    targets = all
}
criterion_main!(stack);
