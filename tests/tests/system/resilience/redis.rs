//! A Redis that dies, hangs and comes back: reads never notice, and a write that must happen once does not happen.

use std::time::Duration;

use end_to_end::{Answer, Bff, Client, Kind, until};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{ADA, PATIENT, Site, warnings};

const PLACED: &str = "orders POST /orders";
/// The promise is 5 s; a machine that is busy gets as much again.
const HEALED: Duration = Duration::from_secs(10);

fn order() -> Value {
    json!({"productId": "p_1", "quantity": 1})
}

async fn keyed(client: &Client, key: &str) -> Answer {
    client.clone().with("idempotency-key", key).post("/orders", &order()).await
}

/// The first key that is taken again. Each is asked for once: that of a write which failed may be taken for a while.
async fn until_healed(client: &Client) -> String {
    let mut attempt = 0;
    until("a keyed write", async || {
        attempt += 1;
        let key = format!("after-{attempt}");
        (keyed(client, &key).await.outcome() == "201").then_some(key)
    })
    .await
}

/// What must hold while Redis does not answer.
async fn carries_on(site: &Site, web: &Bff, ada: &Client, what: &str) {
    for _ in 0..3 {
        let page = ada.get("/dashboard").await;
        assert_eq!((page.outcome(), warnings(&page)), ("200".into(), vec![]), "{what}");
    }
    assert_eq!(site.calls("catalog GET /promos").await, 1, "what is kept here helps on");

    let before = site.calls(PLACED).await;
    let refused = keyed(ada, what).await;
    assert_eq!(refused.outcome(), "503 unavailable", "{what}");
    assert!(!refused.header("retry-after").is_empty(), "{refused:?}");
    assert_eq!(site.calls(PLACED).await, before, "a write that may not be recorded is not begun");
    assert_eq!(ada.post("/orders", &order()).await.outcome(), "201", "one without a key needs no record");

    assert_eq!(web.ready().await, 200, "a lost Redis must not take the fleet out");
    assert_eq!(web.operator().get("/livez").await.status, 200);
}

#[tokio::test]
async fn a_redis_that_is_gone() {
    let mut site = Site::with_redis().await;
    let web = site.start(Kind::Web, &[PATIENT]).await;
    let ada = site.client(&web, ADA).await;
    assert_eq!(keyed(&ada, "before").await.outcome(), "201");
    until("a listener", async || (site.redis().listeners().await == 1).then_some(())).await;

    site.redis_mut().kill().await;
    carries_on(&site, &web, &ada, "killed").await;

    site.redis_mut().restart().await;
    let since = Instant::now();
    let key = until_healed(&ada).await;
    assert!(since.elapsed() < HEALED);
    let calls = site.calls(PLACED).await;
    assert_eq!(keyed(&ada, &key).await.header("idempotency-replayed"), "true");
    assert_eq!(site.calls(PLACED).await, calls);
}

#[tokio::test]
async fn a_redis_that_hangs() {
    let site = Site::with_redis().await;
    let web = site.start(Kind::Web, &[PATIENT]).await;
    let ada = site.client(&web, ADA).await;
    assert_eq!(keyed(&ada, "before").await.outcome(), "201");
    until("a listener", async || (site.redis().listeners().await == 1).then_some(())).await;
    site.redis().pause();
    carries_on(&site, &web, &ada, "paused").await;
    site.redis().resume();
    let since = Instant::now();
    until_healed(&ada).await;
    assert!(since.elapsed() < HEALED);
}

#[tokio::test]
async fn a_redis_that_is_not_there_yet() {
    let mut site = Site::with_redis().await;
    site.redis_mut().kill().await;
    let web = site.start(Kind::Web, &[PATIENT]).await;
    let ada = site.client(&web, ADA).await;
    carries_on(&site, &web, &ada, "late").await;
    site.redis_mut().restart().await;
    until_healed(&ada).await;
}
