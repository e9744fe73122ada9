use tokio::time::advance;

use super::*;

mod model;

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

/// A breaker that has just opened.
fn opened() -> Arc<Breaker> {
    let breaker = Breaker::new(true);
    (0..STREAK).for_each(|_| breaker.admit().unwrap().failed());
    assert_eq!(position(&breaker), BreakerPosition::Open);
    breaker
}

/// A breaker that has just admitted a probe, and the probe.
async fn probed() -> (Arc<Breaker>, Admission) {
    let breaker = opened();
    advance(retry_after(&breaker)).await;
    let probe = breaker.admit().unwrap();
    (breaker, probe)
}

fn position(breaker: &Breaker) -> BreakerPosition {
    breaker.state().position
}

fn retry_after(breaker: &Arc<Breaker>) -> Duration {
    breaker.admit().unwrap_err().retry_after
}

#[tokio::test(start_paused = true)]
async fn it_opens_when_less_than_half_succeeds_or_five_in_a_row_fail() {
    // What comes back: a success, a failure, or a second of nothing; and the result that opens it.
    for (results, opens_at) in [
        ("ffff".to_owned(), None),
        ("fffff".to_owned(), Some(5)),
        ("ffffsffff".to_owned(), None),
        ("ffffsfffff".to_owned(), Some(10)),
        (["ffff", &".".repeat(3600), "f"].concat(), Some(5)),
        // From 20 results on, rows do not count.
        (["s".repeat(14), "f".repeat(5)].concat(), Some(19)),
        (["s".repeat(15), "f".repeat(5)].concat(), None),
        (["s".repeat(15), "f".repeat(15)].concat(), None),
        (["s".repeat(15), "f".repeat(16)].concat(), Some(31)),
        // Below 20 results, shares do not count.
        (["fs".repeat(9), "f".to_owned()].concat(), None),
        (["fs".repeat(9), "ff".to_owned()].concat(), Some(20)),
        (["ffs".repeat(6), "fs".to_owned()].concat(), Some(20)),
        // 50 %, and a little less.
        ("fs".repeat(10), None),
        (["fs".repeat(10), "f".to_owned()].concat(), Some(21)),
        ("sf".repeat(50), None),
        (["sf".repeat(50), "f".to_owned()].concat(), Some(101)),
        // Ten seconds, and a little less.
        (["fs".repeat(9), "f".to_owned(), ".".repeat(9), "f".to_owned()].concat(), Some(20)),
        (["fs".repeat(9), "f".to_owned(), ".".repeat(10), "f".to_owned()].concat(), None),
        (["s".repeat(20), ".".repeat(5), "fs".repeat(10), ".".repeat(5), "f".to_owned()].concat(), Some(41)),
    ] {
        assert_eq!(opening(&results).await, opens_at, "{results}");
    }
}

/// How many results it took to open a new breaker.
async fn opening(results: &str) -> Option<usize> {
    let breaker = Breaker::new(true);
    let mut seen = 0;
    for result in results.chars() {
        match result {
            's' => breaker.admit().unwrap().succeeded(),
            'f' => breaker.admit().unwrap().failed(),
            _ => advance(SECOND).await,
        }
        seen += usize::from(result != '.');
        if !breaker.is_closed() {
            return Some(seen);
        }
    }
    None
}

#[tokio::test(start_paused = true)]
async fn probes_are_one_to_one_and_a_half_seconds_apart_and_spread() {
    let breaker = opened();
    let mut pauses = vec![];
    for _ in 0..200 {
        let pause = retry_after(&breaker);
        pauses.push(pause);
        advance(pause.saturating_sub(Duration::from_nanos(1))).await;
        assert_eq!(retry_after(&breaker), Duration::from_nanos(1));
        advance(Duration::from_nanos(1)).await;
        breaker.admit().unwrap().failed();
    }
    assert!(pauses.iter().all(|pause| PAUSE.contains(pause)), "{pauses:?}");
    assert!(*pauses.iter().min().unwrap() < 1100 * MS && *pauses.iter().max().unwrap() > 1400 * MS);
    assert_eq!(breaker.state().opened, 1);
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_probe_decides() {
    type End = fn(Admission);
    // (how it ends, what the breaker does then, when the next call may go)
    for (end, position, next) in [
        (Admission::succeeded as End, BreakerPosition::Closed, Duration::ZERO..=Duration::ZERO),
        (Admission::failed as End, BreakerPosition::Open, PAUSE),
        (drop::<Admission> as End, BreakerPosition::Open, Duration::ZERO..=Duration::ZERO),
    ] {
        let (breaker, probe) = probed().await;
        assert!(!breaker.is_closed() && breaker.admit().is_err());
        end(probe);
        assert_eq!(breaker.state().position, position);
        let wait = breaker.admit().map_or_else(|open| open.retry_after, |_| Duration::ZERO);
        assert!(next.contains(&wait), "{position:?}: {wait:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_successful_probe_starts_afresh() {
    let (breaker, probe) = probed().await;
    probe.succeeded();
    let state = breaker.state();
    assert_eq!((state.results, state.failures, state.consecutive_failures), (0, 0, 0));
    (1..STREAK).for_each(|_| breaker.admit().unwrap().failed());
    assert!(breaker.is_closed());
    breaker.admit().unwrap().failed();
    assert!(!breaker.is_closed());
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_hangs_keeps_no_other_waiting_and_any_success_closes() {
    let (breaker, hangs) = probed().await;
    assert!(breaker.admit().is_err());
    advance(*PAUSE.end()).await;
    let next = breaker.admit().unwrap();
    assert!(breaker.admit().is_err(), "two probes at once");
    next.succeeded();
    assert!(breaker.is_closed());
    hangs.failed();
    assert_eq!((position(&breaker), breaker.state().results), (BreakerPosition::Closed, 0));
}

#[tokio::test(start_paused = true)]
async fn what_was_admitted_before_a_change_has_no_say_after_it() {
    let breaker = Breaker::new(true);
    let mut late: Vec<_> = (0..40).map(|_| breaker.admit().unwrap()).collect();
    let mut tell = |count: usize| {
        for (index, admission) in late.drain(..count).enumerate() {
            match index % 3 {
                0 => admission.failed(),
                1 => admission.succeeded(),
                _ => drop(admission),
            }
        }
    };
    (0..STREAK).for_each(|_| breaker.admit().unwrap().failed());
    let open = breaker.state();
    tell(10);
    assert_eq!(breaker.state(), open);

    advance(retry_after(&breaker)).await;
    let probe = breaker.admit().unwrap();
    tell(10);
    assert_eq!(position(&breaker), BreakerPosition::Probing);

    probe.succeeded();
    tell(20);
    let state = breaker.state();
    assert_eq!((state.position, state.results, state.opened), (BreakerPosition::Closed, 0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_recovered_upstream_is_used_again_within_two_seconds() {
    for failure_takes in [0, 10, 300, 999, 1000, 1500] {
        for down in (0..4000).step_by(130) {
            let unused = until_used_again(failure_takes * MS, 10 * SECOND + down * MS).await;
            assert!(unused <= 2 * SECOND, "{unused:?} after {down} ms, failing in {failure_takes} ms");
        }
    }
}

/// A call every 10 ms to an upstream that is down from the start on: from its recovery to the next call that reaches it.
async fn until_used_again(failure_takes: Duration, down: Duration) -> Duration {
    let breaker = Breaker::new(true);
    let recovered = Instant::now() + down;
    let mut running: Vec<(Instant, Admission)> = vec![];
    loop {
        let now = Instant::now();
        running.extract_if(.., |(end, _)| *end <= now).for_each(|(_, admission)| admission.failed());
        match breaker.admit() {
            Ok(_) if now >= recovered => return now - recovered,
            Ok(admission) => running.push((now + failure_takes, admission)),
            Err(_) => {}
        }
        advance(10 * MS).await;
    }
}

#[tokio::test(start_paused = true)]
async fn of_many_threads_one_probes() {
    let breaker = opened();
    advance(retry_after(&breaker)).await;
    let (clock, start) = (tokio::runtime::Handle::current(), std::sync::Barrier::new(8));
    let try_one = || {
        let _clock = clock.enter();
        start.wait();
        breaker.admit()
    };
    let results: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(try_one)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(results.iter().flatten().count(), 1);
}

#[tokio::test(start_paused = true)]
async fn disabled_it_admits_every_call_and_counts_none() {
    let breaker = Breaker::new(false);
    (0..100).for_each(|_| breaker.admit().unwrap().failed());
    assert!(breaker.is_closed());
    assert_eq!(breaker.state(), BreakerState::DISABLED);
}
