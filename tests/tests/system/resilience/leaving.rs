//! Clients that leave: their reads end with them, their writes do not.

use end_to_end::{Kind, until};
use serde_json::json;

use super::{ADA, PATIENT, SERVICES, Site, begin, ids};

const PLACED: &str = "orders POST /orders";

#[tokio::test]
async fn a_read_ends_everywhere_when_its_client_leaves() {
    let site = Site::open().await;
    let web = site.start(Kind::Web, &[PATIENT]).await;
    let ada = site.client(&web, ADA).await;
    for service in SERVICES {
        site.shop.hold(service).await;
    }
    let leaving = begin(&ada, "GET", "/dashboard", None);
    for service in SERVICES {
        site.shop.until_waiting(service, 1).await;
    }
    leaving.abort();
    // Every time that could end it instead is minutes away.
    for service in SERVICES {
        site.shop.until_waiting(service, 0).await;
        until(&format!("all places at {service}"), async || {
            let state = web.upstreams().await["upstreams"][service]["concurrency"].take();
            (state["inFlight"] == 0 && state["queued"] == 0).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn one_who_leaves_does_not_take_the_answer_from_another() {
    let site = Site::open().await;
    let web = site.start(Kind::Web, &[PATIENT]).await;
    let ada = site.client(&web, ADA).await;
    site.shop.hold("orders").await;
    let leaving = begin(&ada, "GET", "/orders", None);
    site.shop.until_waiting("orders", 1).await;
    let staying = begin(&ada, "GET", "/orders", None);
    until("a shared call", async || (web.operation("orders.list").await["coalesced"] == 1).then_some(()))
        .await;
    leaving.abort();
    until("a client that left", async || web.process.log().contains("\"cancelled\"").then_some(())).await;
    site.shop.release("orders").await;
    assert_eq!(staying.await.expect("it does not panic").outcome(), "200");
    assert_eq!(site.calls("orders GET /orders").await, 1);
}

#[tokio::test]
async fn a_write_runs_on_and_its_key_finds_the_outcome() {
    let site = Site::open().await;
    let web = site.start(Kind::Web, &[PATIENT]).await;
    let ada = site.client(&web, ADA).await;
    let before = ids(&ada.get("/orders").await, "/orders");
    let order = json!({"productId": "p_1", "quantity": 1});
    for (placed, key) in [(1, None), (2, Some("left-behind"))] {
        let client = key.map_or_else(|| ada.clone(), |key| ada.clone().with("idempotency-key", key));
        site.shop.hold("orders").await;
        let leaving = begin(&client, "POST", "/orders", Some(&order));
        site.shop.until_waiting("orders", 1).await;
        leaving.abort();
        let left = async || (web.process.log().matches("\"cancelled\"").count() == placed).then_some(());
        until("a client that left", left).await;
        site.shop.release("orders").await;
        let ended = "a write ended that nobody waited for";
        until(ended, async || (web.process.log().matches(ended).count() == placed).then_some(())).await;
        assert_eq!(site.calls(PLACED).await, placed as u64, "it was sent once");
        let mut after = ids(&ada.get("/orders").await, "/orders");
        assert!(!before.contains(&after[0]), "it was placed");
        if key.is_some() {
            let again = client.post("/orders", &order).await;
            assert_eq!((again.outcome(), again.header("idempotency-replayed")), ("201".into(), "true"));
            assert_eq!(again.json()["id"], after.remove(0).as_str());
            assert_eq!(site.calls(PLACED).await, placed as u64, "and not again");
        }
    }
}

#[tokio::test]
async fn only_a_write_with_a_key_is_tried_again() {
    let site = Site::open().await;
    let web = site.start(Kind::Web, &[PATIENT]).await;
    let ada = site.client(&web, ADA).await;
    let order = json!({"productId": "p_1", "quantity": 1});
    for (mode, key, attempts) in [
        ("error", false, 1..=1),
        ("reset", false, 1..=1),
        ("truncate", false, 1..=1),
        // The budget may not pay for the second one.
        ("error", true, 1..=2),
    ] {
        site.shop.strike("orders", &json!([{"path": "/orders", "mode": mode, "status": 500}])).await;
        site.shop.forget_calls().await;
        let client = if key { ada.clone().with("idempotency-key", mode) } else { ada.clone() };
        assert_eq!(client.post("/orders", &order).await.outcome(), "503 unavailable", "{mode}");
        let made = site.calls(PLACED).await;
        assert!(attempts.contains(&made), "{mode}: {made} attempts");
    }
}
