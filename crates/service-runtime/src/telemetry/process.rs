//! What the process takes of the machine, as the kernel says it.

use std::fs;
use std::time::Duration;

use opentelemetry::metrics::Meter;
use tokio::time::Instant;

/// Shows it, from now on.
pub(super) fn observe(meter: &Meter) {
    let started = Instant::now();
    let memory = meter.i64_observable_up_down_counter("process.memory.usage").with_unit("By");
    memory
        .with_description("How much memory is resident")
        .with_callback(|observer| {
            if let Some(bytes) = resident() {
                observer.observe(bytes, &[]);
            }
        })
        .build();
    let cpu = meter.f64_observable_counter("process.cpu.time").with_unit("s");
    cpu.with_description("How long all threads have run")
        .with_callback(|observer| {
            if let Some(time) = cpu_time() {
                observer.observe(time.as_secs_f64(), &[]);
            }
        })
        .build();
    let files = meter
        .i64_observable_up_down_counter("process.unix.file_descriptor.count")
        .with_unit("{file_descriptor}");
    files
        .with_description("How many file descriptors are open")
        .with_callback(|observer| {
            if let Some(open) = open_files() {
                observer.observe(open, &[]);
            }
        })
        .build();
    let uptime = meter.f64_observable_gauge("process.uptime").with_unit("s");
    uptime
        .with_description("How long the process has run")
        .with_callback(move |observer| observer.observe(started.elapsed().as_secs_f64(), &[]))
        .build();
}

/// Ticks in a second, as the kernel counts for programs on every machine that we run on.
const TICKS: u64 = 100;

/// `VmRSS:     1234 kB` of `/proc/self/status`.
fn resident() -> Option<i64> {
    let text = fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: i64 = line.split_ascii_whitespace().next()?.parse().ok()?;
    Some(kibibytes * 1024)
}

/// `/proc/self/stat`: behind the program's name, which may hold anything but ends at the last `)`, the twelfth and
/// thirteenth field are the ticks in user and in system mode.
fn cpu_time() -> Option<Duration> {
    let text = fs::read_to_string("/proc/self/stat").ok()?;
    let mut fields = text.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(Duration::from_millis((user + system) * 1000 / TICKS))
}

/// One of them is the directory itself, while it is read.
fn open_files() -> Option<i64> {
    let open = fs::read_dir("/proc/self/fd").ok()?.count();
    i64::try_from(open.saturating_sub(1)).ok()
}
