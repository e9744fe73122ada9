//! No request outlasts its deadline, and the answer says who was slow.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Sse;
use axum::response::sse::Event;
use axum::routing::{get as on_get, post as on_post};
use futures::{StreamExt, stream};
use tokio::time::{Instant, sleep};

use crate::support::{app, get, post, send};

fn routes() -> Router {
    Router::new()
        .route("/slow", on_get(slow).post(slow))
        .route("/note", on_post(|note: String| async { note }))
        .route("/read-then-slow", on_post(|_: String| slow()))
        .route("/events", on_get(events))
}

async fn slow() -> &'static str {
    sleep(Duration::from_hours(1)).await;
    "late"
}

async fn events() -> Sse<impl futures::Stream<Item = Result<Event, std::io::Error>>> {
    let events = stream::iter(["placed", "paid"]).then(|status| async move {
        sleep(Duration::from_mins(1)).await;
        Ok(Event::default().data(status))
    });
    Sse::new(events)
}

/// Some of a body, and then nothing for an hour.
pub(crate) fn dripping() -> Body {
    let hour = Duration::from_hours(1);
    let parts = stream::iter([0, 1]).then(move |part| async move {
        sleep(hour * part).await;
        Ok::<_, std::io::Error>("x")
    });
    Body::from_stream(parts)
}

#[tokio::test(start_paused = true)]
async fn a_request_is_given_up_at_its_deadline() {
    let app = app(routes());
    for (request, body, after_ms, expected) in [
        (get("/slow"), Body::empty(), 2000, "504 deadline-exceeded"),
        (get("/slow").header("x-request-timeout-ms", "150"), Body::empty(), 150, "504 deadline-exceeded"),
        (post("/slow"), dripping(), 2000, "504 deadline-exceeded"),
        (post("/read-then-slow"), "whole".into(), 2000, "504 deadline-exceeded"),
        (post("/note"), dripping(), 2000, "408 request-timeout"),
        (post("/note").header("x-request-timeout-ms", "90"), dripping(), 90, "408 request-timeout"),
        (post("/note"), "whole".into(), 0, "200 "),
    ] {
        let shown = format!("{request:?}");
        let start = Instant::now();
        let answer = send(&app, request, body).await;
        assert_eq!(answer.verdict(), expected, "{shown}");
        let late = start.elapsed().checked_sub(Duration::from_millis(after_ms)).unwrap();
        assert!(late < Duration::from_millis(50), "{shown} was answered {late:?} late");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_given_up_is_dropped() {
    struct Held(Arc<AtomicBool>);
    impl Drop for Held {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    let dropped = Arc::new(AtomicBool::new(false));
    let held = Arc::clone(&dropped);
    let handler = move || {
        let held = Held(Arc::clone(&held));
        async move {
            let answer = slow().await;
            drop(held);
            answer
        }
    };
    send(&app(Router::new().route("/", on_get(handler))), get("/"), "").await;
    assert!(dropped.load(Ordering::Relaxed));
}

#[tokio::test(start_paused = true)]
async fn an_event_stream_outlasts_the_deadline() {
    let answer = send(&app(routes()), get("/events").header("accept-encoding", "gzip"), "").await;
    assert_eq!(answer.body, "data: placed\n\ndata: paid\n\n");
    assert_eq!(answer.header("content-encoding"), "");
    assert_eq!(answer.header("etag"), "");
}
