//! Who may say what a request's id, trace and deadline are, and what never gets in.

use std::time::Duration;

use axum::Router;
use axum::routing::get as on_get;
use http::HeaderMap;
use middleware::{Context, Path, priority};
use request_context::Priority;

use crate::support::{Answer, PROXY, app, from, get, send};

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

fn routes() -> Router {
    let pages = Router::new().route("/context", on_get(context)).route("/headers", on_get(headers));
    let checkout = Router::new()
        .route(
            "/checkout/{id}",
            on_get(|Context(ctx), Path(id): Path<String>| async move {
                format!("{id} {}", ctx.priority().as_str())
            }),
        )
        .route_layer(priority(Priority::Checkout));
    pages.merge(checkout)
}

/// `<id> <trace> <milliseconds left> <priority> <milliseconds for what is optional>`.
async fn context(Context(ctx): Context) -> String {
    let [left, optional] =
        [ctx.deadline(), ctx.optional_deadline()].map(|deadline| deadline.remaining().as_millis());
    let (id, trace) = (ctx.request_id(), ctx.trace().trace_id());
    format!("{id} {trace} {left} {} {optional}", ctx.priority().as_str())
}

async fn headers(headers: HeaderMap) -> String {
    let mut names: Vec<_> = headers.keys().map(http::HeaderName::as_str).collect();
    names.sort_unstable();
    names.join(" ")
}

fn words(answer: &Answer) -> Vec<String> {
    let body = std::str::from_utf8(&answer.body).unwrap();
    body.split(' ').map(str::to_owned).collect()
}

#[tokio::test(start_paused = true)]
async fn only_a_trusted_peer_names_the_request() {
    let app = app(routes());
    for (peer, taken) in [
        (Some(PROXY), true),
        (Some("[::ffff:10.1.2.3]:4000"), true),
        (Some("11.1.2.3:4000"), false),
        (Some("[::1]:4000"), false),
        (None, false),
    ] {
        let mut request = get("/context").header("x-request-id", "abc").header("traceparent", PARENT);
        if let Some(peer) = peer {
            request = request.extension(from(peer));
        }
        let answer = send(&app, request, "").await;
        let words = words(&answer);
        assert_eq!((words[0] == "abc", words[1] == TRACE), (taken, taken), "{peer:?}");
        assert_eq!(answer.header("x-request-id"), words[0]);
        assert_eq!(words[2..], ["2000", "page", "800"]);
    }
}

#[tokio::test]
async fn a_trusted_peer_must_still_be_well_formed() {
    let app = app(routes());
    for ids in [&["a b"][..], &[""], &["abc", "abc"]] {
        let mut request = get("/context").extension(from(PROXY)).header("traceparent", "00-1");
        for id in ids {
            request = request.header("x-request-id", *id);
        }
        let words = words(&send(&app, request, "").await);
        assert_eq!(words[0].len(), 36, "{ids:?} was taken");
        assert_eq!(words[1].len(), 32);
    }
}

#[tokio::test]
async fn what_only_we_may_say_does_not_get_in() {
    let request = get("/headers")
        .header("X-User-Id", "u_1")
        .header("X_User_Id", "u_1")
        .header("x-USER_id", "u_1")
        .header("x-user-id", "u_2")
        .header("connection", "x-user-id")
        .header("x-request-id", "abc")
        .header("x-request-deadline-ms", "99999")
        .header("x-request-priority", "checkout")
        .header("x-forwarded-user", "u_1")
        .header("x-envoy-original-path", "/")
        .header("x_envoy_internal", "true")
        .header("baggage", "user=u_1")
        .header("traceparent", PARENT)
        .header("tracestate", "a=b")
        .header("accept", "*/*")
        .header("authorization", "Bearer x")
        .extension(from(PROXY));
    let answer = send(&app(routes()), request, "").await;
    assert_eq!(answer.body, "accept authorization connection");
}

#[tokio::test(start_paused = true)]
async fn a_client_may_only_ask_for_less_time() {
    let app = app(routes());
    for (wish, left, optional) in
        [("1", "1", "0"), ("300", "300", "120"), ("2000", "2000", "800"), ("600000", "2000", "800")]
    {
        let request = get("/context").header("x-request-timeout-ms", wish);
        assert_eq!(words(&send(&app, request, "").await)[2..], [left, "page", optional], "{wish}");
    }
    for wish in ["0", "-1", "+1", "1.5", "1s", "", "600001", "99999999999"] {
        let request = get("/context").header("x-request-timeout-ms", wish);
        assert_eq!(send(&app, request, "").await.verdict(), "400 invalid-request", "{wish:?}");
    }
    let doubled = get("/context").header("x-request-timeout-ms", "1").header("x-request-timeout-ms", "1");
    let answer = send(&app, doubled, "").await;
    insta::assert_snapshot!(answer.fault(), @"X-Request-Timeout-Ms must be one whole number of milliseconds from 1 to 600000.");
}

#[tokio::test]
async fn a_group_of_routes_has_its_priority() {
    let answer = send(&app(routes()), get("/checkout/o_1"), "").await;
    assert_eq!(answer.body, "o_1 checkout");
}

#[tokio::test]
async fn a_deadline_starts_with_its_request() {
    let app = app(routes());
    tokio::time::pause();
    for _ in 0..2 {
        assert_eq!(words(&send(&app, get("/context"), "").await)[2], "2000");
        tokio::time::advance(Duration::from_secs(1)).await;
    }
}
