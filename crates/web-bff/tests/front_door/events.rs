//! `GET /events`.

use http::Method;
use serde_json::json;
use service_runtime::{CancellationToken, Telemetry};
use test_support::{Client, FakeBackend, Reading, Reply, Served, Speaker};

use crate::Bff;

const PAID: &str = r#"data: {"orderId":"o_1","status":"paid","at":"2026-11-22T10:00:00Z"}"#;

/// What the orders service says when an order has got on.
fn event(id: &str, status: &str) -> String {
    let data = json!({"orderId": "o_1", "status": status, "at": "2026-11-22T10:00:00Z"});
    format!("id: {id}\nevent: order-status\ndata: {data}\n\n")
}

/// A service whose orders get on, with these settings.
async fn bff(changes: &[(&str, &str)]) -> (Bff, Speaker) {
    let bff = Bff::with(changes).await;
    let orders = Speaker::default();
    bff.backend.services.on("GET /orders/events", Reply::Events(orders.clone()));
    (bff, orders)
}

/// A stream that is open.
async fn listen(client: &Client) -> Reading {
    let mut stream = client.read("/events").await;
    assert_eq!(stream.status, 200);
    assert_eq!(stream.up_to("\n\n").await, "retry: 3000\n\n");
    stream
}

#[tokio::test]
async fn what_happens_to_orders_comes_as_it_happens() {
    let (bff, orders) = bff(&[]).await;
    let client = bff.client().with("last-event-id", "7-1").with("accept-encoding", "gzip, br");
    let mut stream = listen(&client).await;
    for (name, value) in [
        ("content-type", "text/event-stream"),
        ("cache-control", "no-store, no-transform"),
        ("x-accel-buffering", "no"),
        ("etag", ""),
        ("content-encoding", ""),
        ("content-length", ""),
    ] {
        assert_eq!(stream.header(name), value, "{name}");
    }
    let seen = bff.backend.services.seen().remove(0);
    assert_eq!((seen.route.as_str(), seen.query.as_str()), ("GET /orders/events", "userId=u_42"));
    for (name, value) in [("x-user-id", "u_42"), ("last-event-id", "7-1"), ("x-request-priority", "batch")] {
        assert_eq!(seen.headers[name], value);
    }
    assert!(!seen.headers.contains_key("x-request-deadline-ms"));

    orders.say(": beat\n\n");
    orders.say(&event("7-2", "paid"));
    assert_eq!(stream.up_to("\n\n").await, format!("event: order-status\nid: 7-2\n{PAID}\n\n"));
    // What is not understood is left out.
    orders.say("event: order-status\ndata: {}\n\nevent: other\ndata: x\n\n");
    orders.say(&event("7-3", "shipped"));
    assert!(stream.up_to("\n\n").await.contains("shipped"));
}

#[tokio::test]
async fn the_service_may_go_and_come_back() {
    let (bff, orders) = bff(&[]).await;
    let mut stream = listen(&bff.client()).await;
    orders.say(&event("7-1", "paid"));
    stream.up_to("\n\n").await;
    // It is lost, and lost again, and does not know what it is doing.
    bff.backend.services.on_each(
        "GET /orders/events",
        vec![
            Reply::Reset,
            Reply::Problem(503, json!({})),
            Reply::Json(json!({})),
            Reply::Events(orders.clone()),
        ],
    );
    orders.hang_up();
    orders.has_listeners(1).await;
    orders.say(&event("7-2", "shipped"));
    let next = stream.up_to("\n\n").await;
    assert!(next.contains("id: 7-2\n"), "{next}");
    let asked = bff.backend.services.seen().into_iter().skip(1);
    let after: Vec<_> = asked.map(|seen| seen.headers["last-event-id"].clone()).collect();
    assert_eq!(after, ["7-1"; 4]);
}

#[tokio::test]
async fn a_service_that_refuses_ends_the_stream() {
    let (bff, orders) = bff(&[]).await;
    let stream = listen(&bff.client()).await;
    bff.backend.services.on("GET /orders/events", Reply::Problem(403, json!({})));
    orders.hang_up();
    assert_comes_back(&stream.rest().await);
}

#[tokio::test]
async fn a_stream_that_cannot_begin_is_a_problem() {
    let (bff, _) = bff(&[("BFF__REQUESTS__DEADLINE", "1s")]).await;
    for (reply, expected) in [
        (Reply::Problem(503, json!({})), "503 urn:triptych:problem:unavailable"),
        (Reply::Problem(403, json!({})), "403 urn:triptych:problem:forbidden"),
        (Reply::Reset, "503 urn:triptych:problem:unavailable"),
        (Reply::Json(json!({})), "502 urn:triptych:problem:bad-upstream"),
        (Reply::Hang, "504 urn:triptych:problem:deadline-exceeded"),
    ] {
        bff.backend.services.on("GET /orders/events", reply);
        let client = bff.client().with("x-request-timeout-ms", "200");
        let answer = client.get("/events").await;
        let kind = answer.json()["type"].take();
        assert_eq!(format!("{} {}", answer.status.as_u16(), kind.as_str().unwrap()), expected);
    }
    assert_eq!(bff.anonymous().get("/events").await.status, 401);
    let answer = bff.client().with("last-event-id", &"x".repeat(257)).get("/events").await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (400, "application/problem+json"));
    assert_eq!(bff.client().send(Method::POST, "/events", None).await.status, 405);
}

#[tokio::test]
async fn heartbeats_are_our_own() {
    let (bff, _orders) = bff(&[("BFF__EVENTS__HEARTBEAT", "100ms")]).await;
    let mut stream = listen(&bff.client()).await;
    assert_eq!(stream.up_to("\n\n").await, ":\n\n");
    assert_eq!(stream.up_to("\n\n").await, ":\n\n");
}

#[tokio::test]
async fn a_session_that_is_over_ends_the_stream() {
    let (bff, orders) = bff(&[("BFF__EVENTS__RECHECK", "100ms")]).await;
    let stream = listen(&bff.client()).await;
    assert_eq!(bff.client().send(Method::POST, "/auth/logout", None).await.status, 200);
    assert_eq!(stream.rest().await, "event: session-ended\ndata: {}\n\n");
    orders.has_listeners(0).await;
}

#[tokio::test]
async fn streams_are_bounded_and_give_their_places_back() {
    let (bff, orders) = bff(&[("BFF__EVENTS__MAX_PER_USER", "2"), ("BFF__EVENTS__MAX_STREAMS", "3")]).await;
    let other = bff.backend.browser(&bff.served.url, "u_7").await.client();
    let first = listen(&bff.client()).await;
    let _second = listen(&bff.client()).await;
    let refused = bff.client().get("/events").await;
    assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (429, "10"));
    assert_eq!(refused.json()["type"], "urn:triptych:problem:too-many-requests");
    let _third = listen(&other).await;
    let refused = other.get("/events").await;
    assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (503, "10"));
    assert_eq!(refused.json()["type"], "urn:triptych:problem:overloaded");
    // A client that leaves takes all of it along.
    drop(first);
    orders.has_listeners(2).await;
    listen(&bff.client()).await;
}

#[tokio::test]
async fn a_drain_ends_every_stream_and_says_when_to_come_back() {
    let backend = FakeBackend::start().await;
    let orders = Speaker::default();
    backend.services.on("GET /orders/events", Reply::Events(orders.clone()));
    let app = web_bff::build(crate::settings(&backend, &[]), Telemetry::off()).await.expect("good settings");
    let closing: CancellationToken = app.closing;
    let served = Served::start(app.router).await;
    let (mut users, mut streams) = (vec![], vec![]);
    for user in ["u_1", "u_2", "u_3"] {
        let client = backend.browser(&served.url, user).await.client();
        streams.push(listen(&client).await);
        users.push(client);
    }
    closing.cancel();
    for stream in streams {
        assert_comes_back(&stream.rest().await);
    }
    orders.has_listeners(0).await;
    // Who comes too early is told the same.
    let late = listen(&users[0]).await;
    assert_comes_back(&late.rest().await);
}

#[track_caller]
fn assert_comes_back(last: &str) {
    let milliseconds = last.strip_prefix("retry: ").and_then(|rest| rest.strip_suffix("\n\n"));
    let milliseconds: u64 = milliseconds.and_then(|number| number.parse().ok()).expect(last);
    assert!((1_000..=5_000).contains(&milliseconds), "{last}");
}
