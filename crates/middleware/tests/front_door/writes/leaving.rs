//! A client that leaves takes no write with it.

use std::time::Duration;

use axum::routing::get as on_get;
use http::Method;
use serde_json::Value;
use test_support::{Client, Served};
use tokio::time::{Instant, timeout};
use tower::ServiceExt;

use super::shop::{Shop, keyed, keyless, whole};
use crate::access_log::Log;
use crate::support::get;

#[tokio::test]
async fn a_write_whose_client_hung_up_is_there_for_the_retry() {
    let shop = Shop::patient();
    let served = Served::start(shop.app.clone()).await;
    let client = Client::new(&served.url).with("authorization", "Bearer u_42").with("idempotency-key", "k-1");
    let first = client.send(Method::POST, "/slow", Some("{}".into()));
    tokio::select! {
        answer = first => panic!("{answer:?}"),
        permit = shop.effects.begun.acquire() => permit.unwrap().forget(),
    }
    shop.effects.gate.add_permits(1);
    shop.idle().await;

    let retry = client.send(Method::POST, "/slow", Some("{}".into())).await;
    assert_eq!((retry.status.as_u16(), retry.header("idempotency-replayed")), (201, "true"));
    assert_eq!(retry.header("location"), "/orders/o_0");
    assert_eq!(shop.effects.keys().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_write_goes_on_and_a_read_does_not() {
    for (request, effects) in [
        (keyed("/slow"), 1),
        (keyless("/slow"), 1),
        (get("/orders").header("authorization", "Bearer u_42"), 0),
    ] {
        let shown = format!("{request:?}");
        let shop = Shop::new();
        let left = timeout(Duration::from_millis(70), shop.app.clone().oneshot(whole(request))).await;
        assert!(left.is_err(), "{shown}");
        shop.effects.gate.add_permits(1);
        shop.idle().await;
        assert_eq!(shop.effects.keys().len(), effects, "{shown}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_ends_soon_after_its_deadline() {
    for request in [keyed("/hangs"), keyless("/hangs")] {
        let shop = Shop::new();
        let start = Instant::now();
        let answer = shop.send(request.header("x-request-timeout-ms", "300"), "{}").await;
        assert_eq!(answer.verdict(), "504 deadline-exceeded");
        assert!(start.elapsed() < Duration::from_millis(350), "answered after {:?}", start.elapsed());
        shop.idle().await;
        assert!(start.elapsed() < Duration::from_millis(450), "ended after {:?}", start.elapsed());
        // It left no claim: nobody knows how it ended, so that it runs again.
        assert_eq!(shop.send(keyed("/hangs"), "{}").await.verdict(), "504 deadline-exceeded");
        assert_eq!(shop.effects.keys().len(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn the_log_says_that_nobody_waited_and_how_the_write_ended() {
    let shop = Shop::new();
    let (log, _guard) = Log::start();
    for (request, permits) in [(keyed("/slow"), 1), (keyed("/hangs"), 0), (keyed("/slow"), 0)] {
        let answer = shop.app.clone().oneshot(whole(request));
        let _ = timeout(Duration::from_millis(70), answer).await;
        shop.effects.gate.add_permits(permits);
        shop.idle().await;
    }
    let lines = |target: &str| -> Vec<String> {
        let field = |event: &Value, name: &str| event.get(name).map_or("-".into(), Value::to_string);
        let names = [
            "message",
            "http.route",
            "http.response.status_code",
            "idempotency.replayed",
            "error.type",
            "cause",
        ];
        log.events_of(target).iter().map(|event| names.map(|name| field(event, name)).join(" | ")).collect()
    };
    insta::assert_snapshot!(lines("access_log").join("\n"), @r#"
    "request" | "/slow" | - | - | "cancelled" | -
    "request" | "/hangs" | - | - | "cancelled" | -
    "request" | "/slow" | 201 | true | - | -
    "#);
    insta::assert_snapshot!(lines("middleware::access_log").join("\n"), @r#"
    "a write ended that nobody waited for" | "/slow" | 201 | - | - | -
    "a write ended that nobody waited for" | "/hangs" | 504 | - | "deadline-exceeded" | -
    "#);
    let ids = |target: &str| -> Vec<Value> {
        log.events_of(target).iter().map(|event| event["request_id"].clone()).collect()
    };
    assert_eq!(ids("access_log")[..2], ids("middleware::access_log"));
}

#[tokio::test]
async fn reads_are_served_where_they_are() {
    let shop = Shop::new();
    let routes = axum::Router::new()
        .route("/", on_get(async || tokio::task::try_id().is_none().to_string()))
        .route_layer(shop.writes.clone());
    let answer = crate::support::send(&crate::support::app(routes), get("/"), "").await;
    assert_eq!(answer.body, "true");
    assert!(shop.writes.tasks().is_empty());
}
