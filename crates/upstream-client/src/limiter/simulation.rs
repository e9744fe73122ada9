//! The limiter before a simulated service, under open-loop load: time is tokio's and paused, chance is seeded.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use request_context::Priority;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use super::{Limiter, LimiterSettings, Outcome};

const SECOND: Duration = Duration::from_secs(1);
/// How long a call may take, waiting for the limiter included.
const DEADLINE: Duration = SECOND;
/// What the service can do at once, how long one call takes it, and so how many it can do in a second.
const SLOTS: u32 = 20;
const SERVICE: Duration = Duration::from_millis(40);
const CAPACITY: f64 = 500.0;

/// A service with `SLOTS` places and a queue without end, which works on for callers that have left.
struct Service {
    slots: Semaphore,
    hangs: AtomicBool,
    /// How many times as long as usual it takes.
    slowness: AtomicU32,
}

impl Service {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            slots: Semaphore::new(SLOTS as usize),
            hangs: AtomicBool::new(false),
            slowness: AtomicU32::new(1),
        })
    }

    async fn work(self: Arc<Self>, length: Duration) {
        if self.hangs.load(Ordering::Relaxed) {
            return std::future::pending().await;
        }
        let _slot = self.slots.acquire().await;
        sleep(length * self.slowness.load(Ordering::Relaxed)).await;
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Ended {
    Answered,
    TimedOut,
    Shed,
}

#[derive(Clone, Copy, Debug)]
struct Record {
    began: Instant,
    priority: Priority,
    took: Duration,
    ended: Ended,
}

async fn call(limiter: Arc<Limiter>, service: Arc<Service>, priority: Priority, length: Duration) -> Record {
    let began = Instant::now();
    let ended = match limiter.acquire(priority, DEADLINE / 10).await {
        Err(_) => Ended::Shed,
        Ok(permit) => {
            let work = tokio::spawn(service.work(length));
            let answered = timeout_at(began + DEADLINE, work).await.is_ok();
            permit.finished(if answered { Outcome::Success } else { Outcome::Overloaded });
            if answered { Ended::Answered } else { Ended::TimedOut }
        }
    };
    Record { began, priority, took: began.elapsed(), ended }
}

/// Splitmix64: the same numbers in every run.
struct Chance(u64);

impl Chance {
    /// Below one, evenly.
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        f64::from(u32::try_from((x ^ (x >> 31)) >> 32).unwrap()) / f64::from(u32::MAX)
    }

    /// 10 % checkout, 50 % page, 40 % batch.
    fn priority(&mut self) -> Priority {
        match self.next() {
            x if x < 0.1 => Priority::Checkout,
            x if x < 0.6 => Priority::Page,
            _ => Priority::Batch,
        }
    }
}

/// Calls at random times for a while, `rate` a second, whatever becomes of them.
async fn load(
    limiter: &Arc<Limiter>,
    service: &Arc<Service>,
    seed: u64,
    rate: f64,
    length: Duration,
) -> Vec<Record> {
    let mut chance = Chance(seed);
    let mut at = Instant::now();
    let end = at + length;
    let mut calls = Vec::new();
    loop {
        at += Duration::from_secs_f64(-(1.0 - chance.next()).max(1e-9).ln() / rate);
        if at >= end {
            break;
        }
        sleep_until(at).await;
        let work = SERVICE.mul_f64(0.5 + chance.next());
        calls.push(tokio::spawn(call(limiter.clone(), service.clone(), chance.priority(), work)));
    }
    sleep_until(end).await;
    let mut records = Vec::new();
    for call in calls {
        records.push(call.await.unwrap());
    }
    records
}

struct Tally {
    calls: f64,
    answered: f64,
    slowest_reject: Duration,
}

fn tally<'a>(records: impl IntoIterator<Item = &'a Record>) -> Tally {
    let mut tally = Tally { calls: 0.0, answered: 0.0, slowest_reject: Duration::ZERO };
    for record in records {
        tally.calls += 1.0;
        match record.ended {
            Ended::Answered => tally.answered += 1.0,
            Ended::Shed => tally.slowest_reject = tally.slowest_reject.max(record.took),
            Ended::TimedOut => {}
        }
    }
    tally
}

#[tokio::test(start_paused = true)]
async fn under_three_times_the_load_checkout_is_served_and_the_rest_is_told_at_once() {
    for seed in 0..3 {
        let (limiter, service) = (Limiter::new(LimiterSettings::default()), Service::new());
        load(&limiter, &service, seed, 0.6 * CAPACITY, 5 * SECOND).await;
        let began = Instant::now();
        let records = load(&limiter, &service, seed, 3.0 * CAPACITY, 30 * SECOND).await;

        let checkout = tally(records.iter().filter(|call| call.priority == Priority::Checkout));
        assert!(checkout.answered >= 0.999 * checkout.calls, "{} of {}", checkout.answered, checkout.calls);
        let all = tally(&records);
        assert!(all.answered >= 0.9 * 30.0 * CAPACITY, "seed {seed}: {}", all.answered);
        // Until a queue is known to stand it may be waited in.
        let standing = tally(records.iter().filter(|call| call.began > began + SECOND / 2));
        assert!(
            standing.slowest_reject <= Duration::from_millis(10),
            "seed {seed}: {:?}",
            standing.slowest_reject
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_leaves_no_trace() {
    // Little traffic, some, and nearly what the service can do.
    for rate in [5.0, 100.0, 0.8 * CAPACITY] {
        let (limiter, service) = (Limiter::new(LimiterSettings::default()), Service::new());
        load(&limiter, &service, 1, rate, 10 * SECOND).await;
        service.hangs.store(true, Ordering::Relaxed);
        load(&limiter, &service, 2, rate, 30 * SECOND).await;
        service.hangs.store(false, Ordering::Relaxed);
        load(&limiter, &service, 3, rate, 10 * SECOND).await;

        let after = tally(&load(&limiter, &service, 4, rate, 20 * SECOND).await);
        assert!(after.answered >= 0.99 * after.calls, "at {rate}: {} of {}", after.answered, after.calls);
        assert!(
            limiter.state().limit >= LimiterSettings::default().initial,
            "at {rate}: {:?}",
            limiter.state()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn lasting_overload_does_not_become_usual() {
    let (limiter, service) = (Limiter::new(LimiterSettings::default()), Service::new());
    load(&limiter, &service, 1, 0.6 * CAPACITY, 5 * SECOND).await;
    load(&limiter, &service, 2, 1.5 * CAPACITY, 120 * SECOND).await;
    let limit = limiter.state().limit;
    assert!(limit < 140, "{limit}: it crept up towards its cap");
}

#[tokio::test(start_paused = true)]
async fn a_service_that_has_become_slower_for_good_is_used_in_full_again() {
    let (limiter, service) = (Limiter::new(LimiterSettings::default()), Service::new());
    service.slots.add_permits(1000);
    load(&limiter, &service, 1, 300.0, 10 * SECOND).await;
    service.slowness.store(5, Ordering::Relaxed);
    load(&limiter, &service, 2, 300.0, 45 * SECOND).await;
    let after = tally(&load(&limiter, &service, 3, 300.0, 10 * SECOND).await);
    assert!(after.answered >= 0.95 * after.calls, "{} of {}", after.answered, after.calls);
}

#[tokio::test(start_paused = true)]
async fn the_lower_tolerance_gives_way_first() {
    let service = Service::new();
    let [partner, web] = [1.5, 2.0].map(|tolerance| {
        let (limiter, service) =
            (Limiter::new(LimiterSettings { tolerance, ..LimiterSettings::default() }), service.clone());
        tokio::spawn(async move {
            load(&limiter, &service, 1, 0.3 * CAPACITY, 5 * SECOND).await;
            let records = load(&limiter, &service, 2, 1.5 * CAPACITY, 30 * SECOND).await;
            (limiter.state().limit, tally(&records).answered)
        })
    });
    let ((partner_limit, partner), (web_limit, web)) = (partner.await.unwrap(), web.await.unwrap());
    assert!(partner_limit * 2 < web_limit, "limits {partner_limit} and {web_limit}");
    assert!(partner * 2.0 < web, "answered {partner} and {web}");
}
