//! A write with a key happens once, whatever becomes of the BFFs and of Redis.

use std::collections::BTreeMap;

use end_to_end::{Answer, Client, until};
use futures::future::join_all;
use serde_json::{Value, json};

use super::{ADA, PATIENT, Site, begin, ids};

const PLACED: &str = "orders POST /orders";

fn order(quantity: u32) -> Value {
    json!({"productId": "p_1", "quantity": quantity})
}

fn is_replay(answer: &Answer) -> bool {
    answer.header("idempotency-replayed") == "true"
}

/// The orders that there are and were not before.
async fn new_orders(client: &Client, before: &[String]) -> Vec<String> {
    let mut now = ids(&client.get("/orders").await, "/orders");
    now.retain(|id| !before.contains(id));
    now
}

#[tokio::test]
async fn a_hundred_at_once_over_two_replicas_place_one_order() {
    let site = Site::with_redis().await;
    let replicas = site.replicas(&[]).await;
    let mut clients = vec![];
    for replica in &replicas {
        clients.push(site.client(replica, ADA).await.with("idempotency-key", "a-hundred"));
    }
    let before = ids(&clients[0].get("/orders").await, "/orders");
    let asking =
        clients.iter().cycle().take(100).map(|client| begin(client, "POST", "/orders", Some(&order(1))));
    let answers = join_all(asking.collect::<Vec<_>>()).await;
    let mut outcomes = BTreeMap::<_, u32>::new();
    let mut placed = vec![];
    for answer in answers {
        let answer = answer.expect("it does not panic");
        let replayed = if is_replay(&answer) { " again" } else { "" };
        *outcomes.entry(format!("{}{replayed}", answer.outcome())).or_default() += 1;
        if answer.status == 201 {
            placed.push(answer.json()["id"].as_str().expect("an id").to_owned());
        }
    }
    outcomes.remove("201 again");
    outcomes.remove("409 idempotency-in-progress");
    // From who found Redis slower than a write waits for it, as it may be under a hundred.
    let slow = outcomes.remove("503 unavailable").unwrap_or_default();
    assert!(outcomes.values().sum::<u32>() <= 1 && outcomes.keys().all(|it| it == "201"), "{outcomes:?}");
    let last = until("an answer", async || {
        Some(clients[1].post("/orders", &order(1)).await).filter(|answer| answer.status == 201)
    })
    .await;
    placed.push(last.json()["id"].as_str().expect("an id").to_owned());
    placed.dedup();
    assert_eq!(placed, new_orders(&clients[1], &before).await);
    assert_eq!(placed.len(), 1);
    let calls = site.calls(PLACED).await;
    assert!((1..=1 + u64::from(slow)).contains(&calls), "{calls} calls, {slow} answers that Redis was slow");
}

#[tokio::test]
async fn the_other_replica_knows_what_runs_what_has_ended_and_what_is_another_write() {
    let site = Site::with_redis().await;
    let [here, there] = site.replicas(&[PATIENT]).await;
    let here = site.client(&here, ADA).await.with("idempotency-key", "in-flight");
    let there = site.client(&there, ADA).await.with("idempotency-key", "in-flight");
    site.shop.hold("orders").await;
    let running = begin(&here, "POST", "/orders", Some(&order(1)));
    site.shop.until_waiting("orders", 1).await;
    let busy = there.post("/orders", &order(1)).await;
    assert_eq!(busy.outcome(), "409 idempotency-in-progress");
    assert!(!busy.header("retry-after").is_empty(), "{busy:?}");
    assert_eq!(there.post("/orders", &order(2)).await.outcome(), "422 idempotency-mismatch");
    site.shop.release("orders").await;

    let first = running.await.expect("it does not panic");
    assert_eq!((first.outcome(), is_replay(&first)), ("201".into(), false));
    let again = there.post("/orders", &order(1)).await;
    assert_eq!((again.outcome(), is_replay(&again)), ("201".into(), true));
    assert_eq!((again.body, &again.headers["location"]), (first.body, &first.headers["location"]));
    assert_eq!(there.post("/orders", &order(2)).await.outcome(), "422 idempotency-mismatch");
    assert_eq!(site.calls(PLACED).await, 1);
}

#[tokio::test]
async fn a_record_that_redis_lost_makes_no_second_order() {
    let mut site = Site::with_redis().await;
    // A claim that is left behind by a Redis that is slow to come back ends before the test does.
    let bounded: &[_] = &[("BFF__REQUESTS__DEADLINE", "20s"), ("BFF__REQUESTS__OPTIONAL_DEADLINE", "20s")];
    let [here, there] = site.replicas(&[PATIENT, bounded]).await;
    let here = site.client(&here, ADA).await.with("idempotency-key", "lost");
    let there = site.client(&there, ADA).await.with("idempotency-key", "lost");
    let before = ids(&here.get("/orders").await, "/orders");
    site.shop.hold("orders").await;
    let running = begin(&here, "POST", "/orders", Some(&order(1)));
    site.shop.until_waiting("orders", 1).await;
    site.redis_mut().kill().await;
    site.shop.release("orders").await;
    let first = running.await.expect("it does not panic");
    assert_eq!(first.outcome(), "201", "the write has happened, and its client is told");

    assert_eq!(there.post("/orders", &order(1)).await.outcome(), "503 unavailable");
    assert_eq!(site.calls(PLACED).await, 1, "nothing is sent that nobody can recognise");

    site.redis_mut().restart().await;
    let again = until("a Redis that is back", async || {
        Some(there.post("/orders", &order(1)).await).filter(|answer| answer.status == 201)
    })
    .await;
    assert_eq!((is_replay(&again), &again.json()["id"]), (false, &first.json()["id"]));
    assert_eq!(site.calls(PLACED).await, 2, "the service was asked, and knew the key");
    assert_eq!(new_orders(&there, &before).await.len(), 1);
}

#[tokio::test]
async fn a_replica_that_is_killed_in_the_middle_leaves_no_second_order() {
    // It stays claimed for its deadline and two seconds, in which it might still be under way.
    let short: &[_] = &[("BFF__REQUESTS__DEADLINE", "1s")];
    let site = Site::with_redis().await;
    let [here, there] = site.replicas(&[short]).await;
    let doomed = site.client(&here, ADA).await.with("idempotency-key", "killed");
    let other = site.client(&there, ADA).await.with("idempotency-key", "killed");
    let before = ids(&other.get("/orders").await, "/orders");
    site.shop.hold_heedlessly("orders").await;
    let client = doomed.clone();
    let running = tokio::spawn(async move {
        let content = end_to_end::Content::json(order(1).to_string());
        client.try_send("POST", "/orders", Some(content)).await
    });
    site.shop.until_waiting("orders", 1).await;
    here.process.kill();
    here.process.ended().await;
    assert!(running.await.expect("it does not panic").is_err(), "nobody was left to answer");
    assert_eq!(other.post("/orders", &order(1)).await.outcome(), "409 idempotency-in-progress");

    site.shop.release("orders").await;
    // With one replica gone, the service alone knows that the order was placed.
    let again = until("the end of the claim", async || {
        Some(other.post("/orders", &order(1)).await).filter(|answer| answer.status == 201)
    })
    .await;
    assert!(!is_replay(&again), "its answer was never recorded");
    assert_eq!(new_orders(&other, &before).await, [again.json()["id"].as_str().expect("an id")]);
    assert!(site.calls(PLACED).await >= 2);
}
