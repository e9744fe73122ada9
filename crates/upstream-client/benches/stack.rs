//! What a call costs beyond its transport, as a whole and layer by layer: CPU time of the one thread that does it.

use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use criterion::{Criterion, criterion_group, criterion_main};
use mimalloc::MiMalloc;
use rustix::time::{ClockId, clock_gettime};
use tokio::runtime::Runtime;
use upstream_client::bench::{Ask, BARE, BUILD, Case, LAYERS, WHOLE};

// As in the services.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Time that this thread was on a core: other programs do not disturb it.
struct CpuTime;

impl Measurement for CpuTime {
    type Intermediate = Duration;
    type Value = Duration;

    fn start(&self) -> Duration {
        let now = clock_gettime(ClockId::ThreadCPUTime);
        Duration::new(now.tv_sec.unsigned_abs(), u32::try_from(now.tv_nsec).unwrap_or_default())
    }

    fn end(&self, started: Duration) -> Duration {
        self.start().saturating_sub(started)
    }

    fn add(&self, one: &Duration, other: &Duration) -> Duration {
        *one + *other
    }

    fn zero(&self) -> Duration {
        Duration::ZERO
    }

    fn to_f64(&self, value: &Duration) -> f64 {
        WallTime.to_f64(value)
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        WallTime.formatter()
    }
}

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
    config = Criterion::default()
        .with_measurement(CpuTime)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .sample_size(50);
    targets = all
}
criterion_main!(stack);
