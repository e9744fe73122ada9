//! Of requests that run at the same time, one writes.

use std::time::Duration;

use test_support::Metrics;
use tokio::task::JoinSet;
use tokio::time::advance;

use super::shop::{Shop, keyed};
use super::store::Fault;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_at_once_over_two_replicas_make_one_effect() {
    let shop = Shop::patient();
    let replicas = [shop.clone(), shop.sibling("web-bff")];
    let mut running = JoinSet::new();
    for replica in replicas.iter().cycle().take(100) {
        let replica = replica.clone();
        running.spawn(async move { replica.send(keyed("/slow"), "{}").await });
    }
    for _ in 0..99 {
        let answer = running.join_next().await.unwrap().unwrap();
        assert_eq!(answer.verdict(), "409 idempotency-in-progress");
        assert_eq!(answer.header("retry-after"), "1");
    }
    shop.effects.gate.add_permits(100);
    let first = running.join_next().await.unwrap().unwrap();
    assert_eq!((first.status.as_u16(), first.header("idempotency-replayed")), (201, ""));
    for replica in &replicas {
        let again = replica.send(keyed("/slow"), "{}").await;
        assert_eq!((&again.body, again.header("idempotency-replayed")), (&first.body, "true"));
    }
    assert_eq!(shop.effects.keys().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn another_request_under_the_key_is_refused_while_the_first_runs() {
    let (shop, metrics) = (Shop::new(), Metrics::new());
    shop.writes.observe(&metrics.meter());
    let slow = shop.clone();
    let first = tokio::spawn(async move { slow.send(keyed("/slow"), "{}").await });
    shop.effects.begun.acquire().await.unwrap().forget();
    assert_eq!(shop.send(keyed("/slow"), "{}").await.verdict(), "409 idempotency-in-progress");
    assert_eq!(shop.send(keyed("/slow"), "{ }").await.verdict(), "422 idempotency-mismatch");
    shop.effects.gate.add_permits(1);
    assert_eq!(first.await.unwrap().status, 201);

    for _ in 0..2 {
        assert_eq!(shop.send(keyed("/slow"), "{}").await.status, 201);
    }
    shop.store.is(Fault::Down);
    assert_eq!(shop.send(keyed("/slow"), "{}").await.verdict(), "503 unavailable");
    for (outcome, count) in
        [("new", 1), ("conflict", 1), ("mismatch", 1), ("replayed", 2), ("unavailable", 1)]
    {
        let counted = format!(r#"triptych_idempotency_requests_total{{triptych_outcome="{outcome}"}}"#);
        assert_eq!(metrics.value(&counted), count, "{outcome}");
    }
}

/// A process that is gone never records how its write ended.
#[tokio::test(start_paused = true)]
async fn the_claim_of_a_crashed_process_ends_and_the_retry_has_its_key() {
    let shop = Shop::new();
    let crashed = shop.clone();
    let first = tokio::spawn(async move { crashed.send(keyed("/slow"), "{}").await });
    shop.effects.begun.acquire().await.unwrap().forget();
    shop.store.is(Fault::Down);
    shop.effects.gate.add_permits(2);
    first.await.unwrap();
    shop.store.is(None);

    // The deadline is 2 s, and a claim outlasts it by another 2.
    for (passed, expected) in
        [(0, "409 idempotency-in-progress"), (3999, "409 idempotency-in-progress"), (1, "201 ")]
    {
        advance(Duration::from_millis(passed)).await;
        assert_eq!(shop.send(keyed("/slow"), "{}").await.verdict(), expected, "after {passed} ms more");
    }
    let keys = shop.effects.keys();
    assert_eq!((keys.len(), &keys[0]), (2, &keys[1]));
}
