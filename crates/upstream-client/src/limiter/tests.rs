use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use request_context::Priority::{self, Batch, Checkout, Page};
use tokio::task::{JoinHandle, yield_now};
use tokio::time::{Instant, advance, sleep};

use super::gradient::Gradient;
use super::places::{MOST_WAITING, Permit};
use super::{Limiter, LimiterSettings, Outcome, Shed};

const MILLI: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

fn limiter(most: usize) -> Arc<Limiter> {
    Limiter::new(LimiterSettings { most, initial: most, ..LimiterSettings::default() })
}

fn fill(limiter: &Arc<Limiter>) -> Vec<Permit> {
    std::iter::from_fn(|| limiter.try_acquire(Checkout)).collect()
}

/// Waits in the background; returns when it does.
async fn wait(
    limiter: &Arc<Limiter>,
    priority: Priority,
    wait: Duration,
) -> JoinHandle<(Result<Permit, Shed>, Duration)> {
    let limiter = Arc::clone(limiter);
    let waiting = tokio::spawn(async move {
        let began = Instant::now();
        (limiter.acquire(priority, wait).await, began.elapsed())
    });
    yield_now().await;
    waiting
}

#[test]
fn each_priority_has_its_share() {
    for (limit, checkout, page, batch) in
        [(10, 10, 9, 7), (25, 25, 22, 17), (4, 4, 3, 2), (1, 1, 1, 1), (0, 1, 1, 1)]
    {
        for (priority, expected) in [(Checkout, checkout), (Page, page), (Batch, batch)] {
            let limiter = limiter(limit);
            let held: Vec<_> = std::iter::from_fn(|| limiter.try_acquire(priority)).collect();
            assert_eq!(held.len(), expected, "{priority:?} of {limit}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_free_place_goes_to_the_most_important_and_then_to_the_first() {
    let limiter = limiter(5);
    let mut held = fill(&limiter);
    let mut waiting = Vec::new();
    for priority in [Batch, Page, Checkout, Page, Checkout] {
        waiting.push(wait(&limiter, priority, SECOND).await);
    }
    // Page and batch wait on when there is one free place, and batch when there are two.
    for (returned, expected) in [(1, vec![2]), (1, vec![2, 4]), (1, vec![2, 4]), (1, vec![1, 2, 4])] {
        held.truncate(held.len() - returned);
        yield_now().await;
        let granted: Vec<_> = (0..5).filter(|&one| waiting[one].is_finished()).collect();
        assert_eq!(granted, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_takes_only_the_more_important() {
    let limiter = limiter(4);
    let _held = fill(&limiter);
    // All but four of those who wait are the most important.
    let mut others = Vec::new();
    for _ in 4..MOST_WAITING {
        others.push(wait(&limiter, Checkout, SECOND).await);
    }
    let mut waiting = Vec::new();
    for priority in [Batch, Page, Batch, Page] {
        waiting.push(wait(&limiter, priority, SECOND).await);
    }
    // Who comes, and who is no longer waiting afterwards: itself is 4.
    for (newcomer, expected) in
        [(Batch, vec![4]), (Checkout, vec![2]), (Page, vec![0, 2]), (Page, vec![0, 2, 4])]
    {
        let last = wait(&limiter, newcomer, SECOND).await;
        yield_now().await;
        let gone: Vec<_> =
            waiting.iter().chain([&last]).enumerate().filter(|(_, one)| one.is_finished()).collect();
        assert_eq!(
            gone.iter().map(|(one, _)| if *one >= 4 { 4 } else { *one }).collect::<Vec<_>>(),
            expected
        );
        if !last.is_finished() {
            waiting.push(last);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_longer_than_it_can() {
    for (longest, expected) in [(Duration::ZERO, 0), (MILLI, 1), (20 * MILLI, 20), (SECOND, 100)] {
        let limiter = limiter(4);
        let _held = fill(&limiter);
        let (granted, after) = wait(&limiter, Page, longest).await.await.unwrap();
        assert_eq!((granted.err(), after), (Some(Shed), expected * MILLI));
        assert_eq!((limiter.state().queued, limiter.state().shed.page), (0, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_stands_is_waited_in_for_a_moment_only() {
    let limiter = limiter(8);
    let _held = fill(&limiter);
    // When, who, and how long it waits: a queue of batch is none for a page.
    let arrivals = [
        (0, Batch, 100),
        (60, Batch, 100),
        (120, Batch, 5),
        (0, Page, 100),
        (60, Page, 100),
        (55, Page, 5),
        (0, Checkout, 100),
        (200, Page, 5),
        (300, Page, 100),
    ];
    let mut waiting = Vec::new();
    for (pause, priority, expected) in arrivals {
        sleep(pause * MILLI).await;
        waiting.push((expected, wait(&limiter, priority, SECOND).await));
    }
    for (number, (expected, waiting)) in waiting.into_iter().enumerate() {
        assert_eq!(waiting.await.unwrap().1, expected * MILLI, "arrival {number}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_place_returns_whatever_becomes_of_the_call() {
    let limiter = limiter(4);
    let of = || limiter.try_acquire(Page).unwrap();
    let endings: [(&str, &dyn Fn(Permit)); 4] = [
        ("dropped", &drop),
        ("finished", &|permit| permit.finished(Outcome::Overloaded)),
        ("its future is dropped", &|permit| {
            drop(async move {
                std::future::pending::<()>().await;
                drop(permit);
            });
        }),
        ("it panics", &|permit| {
            let panics = AssertUnwindSafe(move || {
                let _permit = permit;
                panic!("as it may")
            });
            assert!(catch_unwind(panics).is_err());
        }),
    ];
    for (name, end) in endings {
        end(of());
        assert_eq!(limiter.state().in_flight, 0, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_leaves_leaves_no_trace() {
    let limiter = limiter(4);
    let mut held = fill(&limiter);
    let leaves = wait(&limiter, Checkout, SECOND).await;
    let stays = wait(&limiter, Checkout, SECOND).await;
    leaves.abort();
    yield_now().await;
    assert_eq!(limiter.state().queued, 1);
    // A grant that was sent and not yet seen.
    held.truncate(2);
    stays.abort();
    yield_now().await;
    let state = limiter.state();
    assert_eq!((state.queued, state.in_flight, state.shed.checkout), (0, 2, 0));
}

#[tokio::test(start_paused = true)]
async fn what_need_not_be_done_never_waits_and_is_not_counted() {
    let limiter = limiter(4);
    let held = fill(&limiter);
    assert!(limiter.try_acquire(Checkout).is_none());
    let state = limiter.state();
    assert_eq!((state.queued, state.shed.checkout), (0, 0));
    drop(held);
    assert!(limiter.try_acquire(Batch).is_some());
}

/// Tells it of calls for so many seconds, one each 10 ms.
async fn tell(
    gradient: &mut Gradient,
    seconds: usize,
    outcomes: &[Outcome],
    in_flight: usize,
    latency: Duration,
) {
    for outcome in outcomes.iter().cycle().take(seconds * 100) {
        match outcome {
            Outcome::Overloaded => gradient.overloaded(Instant::now(), in_flight),
            _ => gradient.answered(Instant::now(), latency, in_flight),
        }
        advance(10 * MILLI).await;
    }
}

const WELL: [Outcome; 1] = [Outcome::Success];

/// A limit that has learnt that calls take 20 ms.
async fn learnt() -> Gradient {
    let mut gradient = Gradient::new(LimiterSettings::default(), Instant::now());
    tell(&mut gradient, 1, &WELL, 1, 20 * MILLI).await;
    gradient
}

#[tokio::test(start_paused = true)]
async fn the_limit_follows_the_service() {
    let mut noise = [Outcome::Success; 50];
    noise[0] = Outcome::Overloaded;
    let half = [Outcome::Success, Outcome::Overloaded];
    for (name, outcomes, in_flight, latency, expected) in [
        ("as usual, used", &WELL[..], 200, 20, 190..=200),
        ("as usual, not used", &WELL, 3, 20, 25..=25),
        ("within the tolerance", &WELL, 200, 35, 150..=200),
        ("slow", &WELL, 200, 100, 4..=8),
        ("slow, not used", &WELL, 3, 100, 25..=25),
        ("refused now and then", &noise, 200, 20, 150..=200),
        ("refused often", &half, 200, 20, 4..=4),
    ] {
        let mut gradient = learnt().await;
        tell(&mut gradient, 10, outcomes, in_flight, latency * MILLI).await;
        let limit = gradient.get();
        assert!(expected.contains(&limit), "{name}: {limit}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_burst_of_refusals_costs_a_tenth() {
    let limiter = Limiter::new(LimiterSettings { initial: 100, ..LimiterSettings::default() });
    let burst = fill(&limiter);
    for permit in burst {
        permit.finished(Outcome::Overloaded);
    }
    advance(SECOND).await;
    limiter.try_acquire(Page).unwrap().finished(Outcome::Overloaded);
    assert_eq!(limiter.state().limit, 90);
}

#[tokio::test(start_paused = true)]
async fn what_was_usual_in_an_outage_is_soon_forgotten() {
    let mut gradient = learnt().await;
    tell(&mut gradient, 60, &WELL, 1, SECOND).await;
    tell(&mut gradient, 20, &WELL, 1, 20 * MILLI).await;
    tell(&mut gradient, 5, &WELL, 200, 100 * MILLI).await;
    assert!(gradient.get() < 10, "{}", gradient.get());
}

#[tokio::test(start_paused = true)]
async fn under_load_all_but_the_most_important_step_back_for_a_moment() {
    let mut gradient = learnt().await;
    let mut moments = 0;
    for _ in 0..30 * 100 {
        gradient.answered(Instant::now(), 30 * MILLI, 200);
        moments += u32::from(gradient.stepped_back() * 2 < gradient.get());
        advance(10 * MILLI).await;
    }
    assert!((40..100).contains(&moments), "{moments}");
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_grows_lets_in_as_many_as_it_has_room_for() {
    let limiter = Limiter::new(LimiterSettings { initial: 4, ..LimiterSettings::default() });
    let mut held = fill(&limiter);
    held.pop().unwrap().finished(Outcome::Success);
    advance(SECOND).await;
    held.extend(limiter.try_acquire(Checkout));
    let mut waiting = Vec::new();
    for _ in 0..3 {
        waiting.push(wait(&limiter, Checkout, SECOND).await);
    }
    held.pop().unwrap().finished(Outcome::Success);
    yield_now().await;
    assert_eq!(limiter.state().limit, 5);
    assert_eq!(waiting.iter().filter(|one| one.is_finished()).count(), 2);
}
