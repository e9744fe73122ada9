use proptest::prelude::*;
use tokio::time::advance;

use super::*;

fn micros(micros: u64) -> Duration {
    Duration::from_micros(micros)
}

#[test]
fn a_bucket_ends_where_the_next_begins() {
    for (shortest, longest, expected) in [
        (0, 71, 72),
        (72, 79, 80),
        (120, 127, 128),
        (128, 143, 144),
        (1024, 1151, 1152),
        (983_040, 1_048_575, 1_048_576),
        (62_914_560, u64::MAX, 67_108_864),
    ] {
        for took in [shortest, longest] {
            assert_eq!(end(bucket(micros(took))), micros(expected), "{took} µs");
        }
    }
    assert_eq!(bucket(Duration::MAX), BUCKETS - 1);
}

#[tokio::test(start_paused = true)]
async fn it_knows_nothing_below_fifty_samples_and_forgets_within_twenty_seconds() {
    let latency = Latency::new();
    (0..49).for_each(|_| latency.record(micros(1000)));
    assert_eq!(latency.p95(), None);
    latency.record(micros(1000));
    assert_eq!(latency.p95(), Some(micros(1024)));
    advance(Duration::from_millis(19_999)).await;
    assert_eq!(latency.p95(), Some(micros(1024)));
    advance(Duration::from_millis(1)).await;
    assert_eq!(latency.p95(), None);
    assert_eq!(latency.state(), LatencyState { samples: 0, p50_us: None, p95_us: None, p99_us: None });
}

#[tokio::test(start_paused = true)]
async fn five_slow_calls_in_a_hundred_do_not_count_and_six_do() {
    for (slow, expected) in [(5, 1152), (6, 1_048_576)] {
        let latency = Latency::new();
        (slow..100).for_each(|_| latency.record(micros(1100)));
        (0..slow).for_each(|_| latency.record(micros(1_000_000)));
        assert_eq!(latency.p95(), Some(micros(expected)), "{slow} slow calls");
    }
}

/// Milliseconds that pass, and how long the calls took that end then.
type Step = (u64, Vec<Duration>);

fn steps() -> impl Strategy<Value = Vec<Step>> {
    // Every order of magnitude is as likely as another.
    let took = (4.0..18.0_f64).prop_map(|power| Duration::from_secs_f64(power.exp2() * 1e-6));
    let pass = prop_oneof![3 => 0..2000_u64, 1 => 2000..25_000_u64];
    prop::collection::vec((pass, prop::collection::vec(took, 0..80)), 1..30)
}

/// The exact percentile by nearest rank.
fn exact(mut samples: Vec<Duration>, percent: usize) -> Option<Duration> {
    samples.sort();
    (samples.len() >= 50).then(|| samples[(samples.len() * percent).div_ceil(100) - 1])
}

async fn run(steps: Vec<Step>) {
    let (latency, began) = (Latency::new(), Instant::now());
    let (mut all, mut seen) = (vec![], vec![]);
    for (pass, samples) in steps {
        advance(Duration::from_millis(pass)).await;
        let window = began.elapsed().as_secs() / 10;
        for took in samples {
            latency.record(took);
            all.push((window, took));
            seen.push(latency.state().p95_us.map(micros));
            assert!(seen.iter().rev().take(32).any(|p95| *p95 == latency.p95()));
        }
        let recent: Vec<_> = all.iter().filter(|(at, _)| at + 1 >= window).map(|(_, took)| *took).collect();
        let state = latency.state();
        assert_eq!(state.samples, recent.len() as u64);
        for (percent, found) in [(50, state.p50_us), (95, state.p95_us), (99, state.p99_us)] {
            let expected = exact(recent.clone(), percent);
            assert_eq!(found.map(micros), expected.map(|took| end(bucket(took))), "p{percent}: {expected:?}");
        }
    }
}

proptest! {
    #[test]
    fn it_is_within_one_bucket_of_the_exact_one(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.unwrap().block_on(run(steps));
    }

    #[test]
    fn a_bucket_is_at_most_an_eighth_wide(took in 64..67_108_864_u64) {
        let end = end(bucket(micros(took)));
        prop_assert!(micros(took) < end && end <= micros(took) * 9 / 8 + micros(1));
        prop_assert!(bucket(end) == bucket(micros(took)) + 1 || bucket(end) == BUCKETS - 1);
    }
}
