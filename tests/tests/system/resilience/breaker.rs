//! What keeps failing is left alone, and used again soon after it has recovered.

use end_to_end::{Kind, until};
use serde_json::json;
use tokio::time::Instant;

use super::{ADA, FORGETFUL, PATIENT, Site, warnings};

/// So many failures in a row open a breaker.
const STREAK: u64 = 5;
/// The longest from opening to the first probe, and from each to the next.
const LONGEST_PAUSE: u64 = 1_500;
const ASKED: u64 = 40;

/// At most one probe a second, the first a second after opening.
fn allowed(since: Instant) -> std::ops::RangeInclusive<u64> {
    STREAK..=STREAK + since.elapsed().as_secs()
}

#[tokio::test]
async fn an_open_breaker_makes_no_call_and_harms_nothing_else() {
    let site = Site::open().await;
    let web = site.start(Kind::Web, &[FORGETFUL, PATIENT]).await;
    let ada = site.client(&web, ADA).await;
    site.shop.strike("catalog", &json!([{"path": "/promos", "mode": "error", "status": 500}])).await;
    let begun = Instant::now();
    let mut open = 0;
    for _ in 0..ASKED {
        let page = ada.get("/dashboard").await;
        assert_eq!(page.outcome(), "200");
        match &*warnings(&page).concat() {
            "promos breaker_open" => open += 1,
            other => assert_eq!(other, "promos unavailable"),
        }
        // Another operation of the same service.
        assert_eq!(ada.get("/products?q=oak").await.outcome(), "200");
    }
    let allowed = allowed(begun);
    let calls = site.calls("catalog GET /promos").await;
    assert!(allowed.contains(&calls), "{calls} calls, where {allowed:?} may be");
    assert!(open >= ASKED - allowed.end(), "{open} of {ASKED} answers say that the breaker is open");
    assert_eq!(web.operation("catalog.search").await["breaker"]["position"], "closed");
    assert!(site.calls("catalog GET /products").await >= 2 * ASKED);
}

#[tokio::test]
async fn a_screen_that_is_nothing_without_it_says_when_to_come_back() {
    let site = Site::open().await;
    let web = site.start(Kind::Web, &[PATIENT]).await;
    let ada = site.client(&web, ADA).await;
    let order = super::ids(&ada.get("/orders").await, "/orders").remove(0);
    site.shop.forget_calls().await;
    site.shop.strike("orders", &json!([{"path": "/orders", "mode": "error", "status": 500}])).await;
    let begun = Instant::now();
    for _ in 0..ASKED {
        let page = ada.get("/orders").await;
        assert_eq!(page.outcome(), "503 unavailable");
        let seconds: u64 = page.header("retry-after").parse().expect("a number of seconds");
        assert!(seconds <= 2, "{page:?}");
        assert_eq!(ada.get(&format!("/orders/{order}")).await.outcome(), "200");
    }
    let (allowed, calls) = (allowed(begun), site.calls("orders GET /orders").await);
    assert!(allowed.contains(&calls), "{calls} calls, where {allowed:?} may be");
}

#[tokio::test]
async fn what_has_recovered_is_used_after_one_probe_that_is_due_in_time() {
    let site = Site::open().await;
    let web = site.start(Kind::Web, &[PATIENT]).await;
    let ada = site.client(&web, ADA).await;
    site.shop.strike("catalog", &json!([{"path": "/promos", "mode": "error", "status": 500}])).await;
    let open = async || {
        ada.get("/dashboard").await;
        let breaker = web.operation("catalog.promos").await["breaker"].take();
        (breaker["position"] == "open").then_some(breaker)
    };
    let breaker = until("an open breaker", open).await;
    // With this and a probe that is answered at once, it is used again within two seconds, on any machine.
    let due = breaker["probeInMs"].as_u64().expect("a time");
    assert!(due <= LONGEST_PAUSE, "{breaker}");

    site.shop.heal("catalog").await;
    let before = site.calls("catalog GET /promos").await;
    until("promos", async || warnings(&ada.get("/dashboard").await).is_empty().then_some(())).await;
    assert_eq!(site.calls("catalog GET /promos").await, before + 1, "one probe, which was the answer");
    assert_eq!(web.operation("catalog.promos").await["breaker"]["position"], "closed");
}

#[tokio::test]
async fn clients_in_a_hurry_open_it_for_nobody() {
    let site = Site::open().await;
    let web = site.start(Kind::Web, &[]).await;
    // The first call needs a token, for which there is no hurry.
    assert_eq!(site.client(&web, ADA).await.get("/orders").await.outcome(), "200");
    let hurried = site.client(&web, ADA).await.with("x-request-timeout-ms", "150");
    site.shop.strike("orders", &json!([{"path": "/orders", "mode": "hang"}])).await;
    for _ in 0..2 * STREAK {
        assert_eq!(hurried.get("/orders").await.outcome(), "504 deadline-exceeded");
    }
    let breaker = web.operation("orders.list").await["breaker"].take();
    assert_eq!((&breaker["position"], &breaker["failures"]), (&json!("closed"), &json!(0)), "{breaker}");
    site.shop.heal("orders").await;
    assert_eq!(site.client(&web, ADA).await.get("/orders").await.outcome(), "200");
}
