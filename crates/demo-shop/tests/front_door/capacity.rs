use std::time::Duration;

use demo_shop::Options;
use demo_shop::Service::Catalog;
use http::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::client::{Answer, Shop, hold};

/// So long that a test is over before a request is.
const LONG: u64 = 600_000;

/// A catalog with this capacity, and a caller that is known there.
async fn limited(limit: Value) -> (Shop, String) {
    let shop = Shop::open().await;
    let token = shop.client("web-bff").await;
    let answer = shop.call(Catalog, &Method::PUT, "/_capacity").json(&limit).send().await;
    assert_eq!(answer.status, 200, "{answer:?}");
    (shop, token)
}

async fn promos(shop: &Shop, token: &str) -> Answer {
    shop.get(Catalog, "/promos").bearer(token).send().await
}

/// (worked on, waiting), as soon as it is so.
async fn wait_until_busy(shop: &Shop, (working, waiting): (usize, usize)) {
    loop {
        let busy = shop.get(Catalog, "/_capacity").send().await.json();
        if (&busy["working"], &busy["waiting"]) == (&json!(working), &json!(waiting)) {
            return;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn so_many_are_worked_on_at_once_and_the_rest_wait() {
    let (shop, token) = limited(json!({"concurrency": 2, "serviceTimeMs": 1000})).await;
    let begun = Instant::now();
    let answers = futures::future::join_all((0..5).map(|_| promos(&shop, &token))).await;
    assert!(answers.iter().all(|answer| answer.status == 200), "{answers:?}");
    assert!(begun.elapsed() >= Duration::from_secs(3));
}

#[tokio::test]
async fn who_waits_may_leave_and_who_was_begun_costs_its_time() {
    let (shop, _) = limited(json!({"concurrency": 2, "serviceTimeMs": LONG})).await;
    let url = format!("{}/promos", shop.running.url(Catalog).unwrap());
    let mut begun = JoinSet::new();
    begun.spawn(hold(url.clone()));
    begun.spawn(hold(url.clone()));
    wait_until_busy(&shop, (2, 0)).await;
    let mut waiting = JoinSet::new();
    waiting.spawn(hold(url.clone()));
    waiting.spawn(hold(url));
    wait_until_busy(&shop, (2, 2)).await;
    begun.shutdown().await;
    waiting.shutdown().await;
    wait_until_busy(&shop, (2, 0)).await;
}

#[tokio::test]
async fn a_service_that_does_not_notice_works_for_who_has_left() {
    let limit = json!({"concurrency": 1, "serviceTimeMs": LONG, "keepAbandoned": true});
    let (shop, token) = limited(limit).await;
    let mut begun = JoinSet::new();
    begun.spawn(hold(format!("{}/promos", shop.running.url(Catalog).unwrap())));
    wait_until_busy(&shop, (1, 0)).await;
    tokio::select! {
        answer = promos(&shop, &token) => panic!("{answer:?}"),
        () = wait_until_busy(&shop, (1, 1)) => {}
    }
    let free = json!({"concurrency": 1, "serviceTimeMs": LONG});
    shop.call(Catalog, &Method::PUT, "/_capacity").json(&free).send().await;
    wait_until_busy(&shop, (1, 0)).await;
}

#[tokio::test]
async fn a_full_queue_refuses() {
    let (shop, token) = limited(json!({"concurrency": 1, "serviceTimeMs": LONG, "queue": 1})).await;
    let url = format!("{}/promos", shop.running.url(Catalog).unwrap());
    let mut held = JoinSet::new();
    for busy in [(1, 0), (1, 1)] {
        held.spawn(hold(url.clone()));
        wait_until_busy(&shop, busy).await;
    }
    promos(&shop, &token).await.is_problem(503, "overloaded");
}

#[tokio::test]
async fn who_waits_goes_on_under_the_new_limit() {
    let (shop, token) = limited(json!({"concurrency": 1, "serviceTimeMs": LONG})).await;
    let mut held = JoinSet::new();
    held.spawn(hold(format!("{}/promos", shop.running.url(Catalog).unwrap())));
    wait_until_busy(&shop, (1, 0)).await;
    let change = async {
        wait_until_busy(&shop, (1, 1)).await;
        let wider = json!({"concurrency": 1, "serviceTimeMs": 1});
        shop.call(Catalog, &Method::PUT, "/_capacity").json(&wider).send().await
    };
    let (answer, changed) = tokio::join!(promos(&shop, &token), change);
    assert_eq!((answer.status.as_u16(), changed.status.as_u16()), (200, 200));
    assert_eq!(shop.call(Catalog, &Method::DELETE, "/_capacity").send().await.status, 204);
    assert_eq!(shop.get(Catalog, "/_capacity").send().await.json(), Value::Null);
    assert_eq!(promos(&shop, &token).await.status, 200);
}

#[tokio::test]
async fn the_command_line_limits_one_service() {
    let options = <Options as clap::Parser>::parse_from(["demo-shop", "--capacity", "catalog=3x40ms"]);
    let shop = Shop::with(|chosen| chosen.capacity = options.capacity).await;
    let expected = json!({"concurrency": 3, "serviceTimeMs": 40, "queue": 10_000, "keepAbandoned": false, "working": 0, "waiting": 0});
    assert_eq!(shop.get(Catalog, "/_capacity").send().await.json(), expected);
    assert_eq!(shop.get(demo_shop::Service::Orders, "/_capacity").send().await.json(), Value::Null);
}

#[tokio::test]
async fn a_limit_that_makes_no_sense_says_what_would() {
    let (shop, _) = limited(json!({"concurrency": 1, "serviceTimeMs": 1})).await;
    for (limit, hint) in [
        (json!({"concurrency": 0, "serviceTimeMs": 1}), "concurrency: must be from 1"),
        (json!({"concurrency": 1, "serviceTimeMs": 0}), "serviceTimeMs: must be from 1"),
        (json!({"concurrency": 1, "serviceTimeMs": 1, "queue": 0}), "queue: must be from 1"),
        (json!({"concurrency": 1}), "`serviceTimeMs`"),
    ] {
        let answer = shop.call(Catalog, &Method::PUT, "/_capacity").json(&limit).send().await;
        answer.is_problem(400, "invalid");
        assert!(answer.json()["detail"].as_str().unwrap().contains(hint), "{answer:?}");
    }
}
