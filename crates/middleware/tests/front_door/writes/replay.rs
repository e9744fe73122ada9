//! What the request that comes again is answered.

use std::time::Duration;

use axum::body::Body;
use futures::stream;
use http::request::Builder;
use tokio::time::advance;

use super::shop::{Shop, keyed};
use crate::deadline::dripping;
use crate::support::{post, send};

#[tokio::test]
async fn a_repetition_has_the_first_answer() {
    let shop = Shop::new();
    let first = shop.send(keyed("/orders"), "{}").await;
    assert_eq!((first.header("set-cookie"), first.header("idempotency-replayed")), ("sid=s3cret", ""));
    let again = shop.send(keyed("/orders"), "{}").await;
    assert_ne!(again.header("x-request-id"), first.header("x-request-id"));
    insta::assert_snapshot!(again.shown(), @r#"
    201 Created
    content-length: 12
    content-security-policy: default-src 'none'; frame-ancestors 'none'
    content-type: application/json
    cross-origin-resource-policy: same-origin
    idempotency-replayed: true
    location: /orders/o_0
    referrer-policy: no-referrer
    x-content-type-options: nosniff
    x-request-id: [id]

    {"id":"o_0"}
    "#);
    assert_eq!(first.body, again.body);
    assert_eq!(shop.effects.keys().len(), 1);
}

#[tokio::test]
async fn the_first_answer_is_the_same_to_the_byte() {
    let shop = Shop::new();
    let request = || keyed("/receipt").header("accept-encoding", "gzip, br").header("if-none-match", "*");
    let [first, again] = [shop.send(request(), "{}").await, shop.send(request(), "{}").await];
    assert_eq!((first.status, &first.body), (again.status, &again.body));
    assert_eq!(first.body, "one lamp\n".repeat(1000));
    for name in ["content-encoding", "etag"] {
        assert_eq!((first.header(name), again.header(name)), ("", ""), "{name}");
    }
}

#[tokio::test]
async fn a_refusal_is_rendered_for_the_request_that_has_it() {
    let shop = Shop::new();
    let first = shop.send(keyed("/sold-out"), "{}").await;
    let again = shop.send(keyed("/sold-out"), "{}").await;
    insta::assert_snapshot!(again.shown(), @r#"
    409 Conflict
    content-length: 250
    content-security-policy: default-src 'none'; frame-ancestors 'none'
    content-type: application/problem+json
    cross-origin-resource-policy: same-origin
    idempotency-replayed: true
    referrer-policy: no-referrer
    x-content-type-options: nosniff
    x-request-id: [id]

    {"type":"urn:triptych:problem:out-of-stock","title":"There are not enough","status":409,"detail":"There were 0 left.","instance":"/sold-out","requestId":"[id]","errors":[{"pointer":"/quantity","detail":"is too many"}]}
    "#);
    assert_eq!(again.json()["requestId"], again.header("x-request-id"));
    assert_ne!(again.json()["requestId"], first.json()["requestId"]);
}

#[tokio::test]
async fn what_says_nothing_about_the_write_lets_it_run_again() {
    for (path, effects) in [
        ("/status/200", 1),
        ("/status/204", 1),
        ("/status/303", 1),
        ("/status/400", 1),
        ("/status/404", 1),
        ("/status/410", 1),
        ("/status/422", 1),
        ("/sold-out", 1),
        ("/status/401", 2),
        ("/status/403", 2),
        ("/status/408", 2),
        ("/status/409", 2),
        ("/status/429", 2),
        ("/status/500", 2),
        ("/status/502", 2),
        ("/status/503", 2),
        ("/panics", 2),
    ] {
        let shop = Shop::new();
        let first = shop.send(keyed(path), "{}").await;
        let again = shop.send(keyed(path), "{}").await;
        assert_eq!(again.verdict(), first.verdict(), "{path}");
        assert_eq!(again.header("idempotency-replayed") == "true", effects == 1, "{path}");
        let mut keys = shop.effects.keys();
        assert_eq!(keys.len(), effects, "{path}");
        keys.dedup();
        assert_eq!((keys.len(), keys[0].len()), (1, 64), "the services see one key: {path}");
    }
}

#[tokio::test]
async fn another_request_under_the_key_is_refused() {
    let shop = Shop::new();
    shop.send(keyed("/orders?a=1"), r#"{"n":1}"#).await;
    let other_type = http::Request::post("/orders?a=1")
        .header("content-type", "application/merge-patch+json")
        .header("authorization", "Bearer u_42")
        .header("idempotency-key", "k-1");
    for (request, body, expected) in [
        (keyed("/orders?a=1"), r#"{"n":1}"#, "201 "),
        (keyed("/orders?a=1"), r#"{"n":2}"#, "422 idempotency-mismatch"),
        (keyed("/orders?a=1"), "", "422 idempotency-mismatch"),
        (keyed("/orders?a=2"), r#"{"n":1}"#, "422 idempotency-mismatch"),
        (keyed("/orders"), r#"{"n":1}"#, "422 idempotency-mismatch"),
        (other_type, r#"{"n":1}"#, "422 idempotency-mismatch"),
    ] {
        let shown = format!("{request:?} {body}");
        assert_eq!(shop.send(request, body).await.verdict(), expected, "{shown}");
    }
    assert_eq!(shop.effects.keys().len(), 1);
}

#[tokio::test]
async fn one_key_of_another_caller_route_or_service_is_another_write() {
    let shop = Shop::new();
    let mobile = shop.sibling("mobile-bff");
    let request = |method: &str, path: &str, token: &str, key: &str| -> Builder {
        let request = http::Request::builder().method(method).uri(path);
        request.header("authorization", format!("Bearer {token}")).header("idempotency-key", key)
    };
    let writes = [
        (&shop, "POST", "/orders", "u_42", "k"),
        (&shop, "POST", "/orders", "u_43", "k"),
        (&shop, "POST", "/orders", "u_42@other.example", "k"),
        (&shop, "POST", "/orders", "u_42", "k2"),
        (&shop, "POST", "/orders/o_1", "u_42", "k"),
        (&shop, "POST", "/orders/o_2", "u_42", "k"),
        (&shop, "PUT", "/orders", "u_42", "k"),
        (&mobile, "POST", "/orders", "u_42", "k"),
    ];
    for (shop, method, path, token, key) in writes {
        let answer = shop.send(request(method, path, token, key), "").await;
        assert_eq!(answer.header("idempotency-replayed"), "", "{method} {path} {token} {key}");
        let again = shop.send(request(method, path, token, key), "").await;
        assert_eq!(again.header("idempotency-replayed"), "true", "{method} {path} {token} {key}");
    }
    let mut keys = shop.effects.keys();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), writes.len());
}

#[tokio::test]
async fn a_credential_that_may_do_less_is_not_shown_the_answer() {
    let shop = Shop::new();
    let first = shop.send(keyed("/orders"), "{}").await;
    let less =
        post("/orders").header("authorization", "Bearer u_42 orders:read").header("idempotency-key", "k-1");
    let other = shop.send(less, "{}").await;
    assert_ne!(first.body, other.body, "its handler ran, and could refuse");
    let keys = shop.effects.keys();
    assert_eq!((keys.len(), &keys[0]), (2, &keys[1]), "to the services it is the same write");
}

#[tokio::test(start_paused = true)]
async fn a_write_is_remembered_for_a_day() {
    let shop = Shop::new();
    shop.send(keyed("/orders"), "{}").await;
    for (passed, replayed) in [(24 * 3600 - 1, "true"), (1, "")] {
        advance(Duration::from_secs(passed)).await;
        let again = shop.send(keyed("/orders"), "{}").await;
        assert_eq!(again.header("idempotency-replayed"), replayed);
    }
    let keys = shop.effects.keys();
    assert_eq!((keys.len(), &keys[0]), (2, &keys[1]));
}

#[tokio::test]
async fn an_answer_too_large_to_keep_is_asked_for_again_under_the_same_key() {
    let shop = Shop::new();
    for first in [b'0', b'1', b'2'] {
        let answer = shop.send(keyed("/large"), "{}").await;
        assert_eq!((answer.body[0], answer.body.len()), (first, 1024 * 1024 + 1));
        assert_eq!(shop.send(keyed("/large"), "{ }").await.verdict(), "422 idempotency-mismatch");
    }
    let mut keys = shop.effects.keys();
    keys.dedup();
    assert_eq!(keys.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_cannot_be_read_claims_nothing() {
    let shop = Shop::new();
    for (body, expected) in [
        (Body::from(vec![b'x'; 64 * 1024 + 1]), "413 body-too-large"),
        (
            Body::from_stream(stream::iter([Err::<&str, _>(std::io::Error::other("cut"))])),
            "400 invalid-request",
        ),
        (dripping(), "408 request-timeout"),
        (Body::from("{}"), "201 "),
    ] {
        assert_eq!(send(&shop.app, keyed("/orders"), body).await.verdict(), expected);
    }
    assert_eq!(shop.effects.keys().len(), 1);
}

#[tokio::test]
async fn keys_are_one_visible_text_on_every_write() {
    let shop = Shop::new();
    let long = "k".repeat(255);
    let too_long = "k".repeat(256);
    for (keys, expected) in [
        (vec![], "200 "),
        (vec!["8e03978e-40d5"], "200 "),
        (vec!["\"quoted\""], "200 "),
        (vec![&*long], "200 "),
        (vec![&too_long], "400 invalid-request"),
        (vec![""], "400 invalid-request"),
        (vec!["a b"], "400 invalid-request"),
        (vec!["é"], "400 invalid-request"),
        (vec!["a", "a"], "400 invalid-request"),
    ] {
        let request = post("/status/200").header("authorization", "Bearer u_42");
        let request = keys.iter().fold(request, |request, key| request.header("idempotency-key", *key));
        assert_eq!(shop.send(request, "").await.verdict(), expected, "{keys:?}");
    }
}
