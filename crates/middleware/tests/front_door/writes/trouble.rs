//! Stores that fail and handlers that panic.

use std::time::Duration;

use tokio::time::{Instant, advance};

use super::shop::{Shop, keyed, keyless};
use super::store::Fault;
use crate::access_log::Log;

#[tokio::test(start_paused = true)]
async fn a_write_that_cannot_be_claimed_is_not_sent() {
    for fault in [Fault::Down, Fault::Full, Fault::Hangs] {
        let shop = Shop::new();
        shop.store.is(fault);
        let answer = shop.send(keyed("/orders"), "{}").await;
        assert_eq!(
            (answer.verdict().as_str(), answer.header("retry-after")),
            ("503 unavailable", "1"),
            "{fault:?}"
        );
        assert_eq!(shop.effects.keys().len(), 0, "{fault:?}");

        assert_eq!(shop.send(keyless("/orders"), "{}").await.status, 201, "without a key: {fault:?}");
        shop.store.is(None);
        let healed = shop.send(keyed("/orders"), "{}").await;
        assert_eq!((healed.status.as_u16(), healed.header("idempotency-replayed")), (201, ""), "{fault:?}");
    }
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_not_overlooked() {
    let shop = Shop::new();
    shop.send(keyed("/orders"), "{}").await;
    shop.store.is(Fault::Garbage);
    assert_eq!(shop.send(keyed("/orders"), "{}").await.verdict(), "503 unavailable");
    assert_eq!(shop.effects.keys().len(), 1);
}

/// The write has happened, so its client hears so, in time.
#[tokio::test(start_paused = true)]
async fn a_write_that_cannot_be_recorded_is_answered_truthfully() {
    let mut logged = vec![];
    for fault in [Fault::Down, Fault::Full, Fault::Hangs] {
        let shop = Shop::new();
        let (log, _guard) = Log::start();
        let slow = shop.clone();
        let start = Instant::now();
        let first = tokio::spawn(async move { slow.send(keyed("/slow"), "{}").await });
        shop.effects.begun.acquire().await.unwrap().forget();
        advance(Duration::from_millis(1700)).await;
        shop.store.is(fault);
        shop.effects.gate.add_permits(1);
        assert_eq!(first.await.unwrap().status, 201, "{fault:?}");
        assert!(start.elapsed() < Duration::from_secs(2), "{fault:?}");
        shop.idle().await;
        for event in log.events_of("middleware::writes::task") {
            logged.push(format!("{fault:?}: {} {}: {}", event["level"], event["message"], event["cause"]));
        }
    }
    insta::assert_snapshot!(logged.join("\n"), @r#"
    Down: "WARN" "the outcome of a write is not recorded": "the store is unavailable: connection refused"
    Full: "WARN" "the outcome of a write is not recorded": "the store is full"
    Hangs: "WARN" "the outcome of a write is not recorded": "the store did not answer in time"
    "#);
}

#[tokio::test]
async fn a_panic_is_one_problem_and_frees_the_key() {
    for request in [keyed, keyless] {
        let shop = Shop::new();
        for n in 1..=2 {
            assert_eq!(shop.send(request("/panics"), "{}").await.verdict(), "500 internal");
            assert_eq!(shop.effects.keys().len(), n);
        }
        shop.idle().await;
    }
}
