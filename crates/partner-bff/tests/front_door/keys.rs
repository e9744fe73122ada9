//! Who may ask at all.

use axum::http::Method;
use test_support::Reply;

use crate::{Bff, ask, line, routes};

#[tokio::test]
async fn every_route_wants_a_key() {
    let bff = Bff::start().await;
    for (route, _, call, answer) in routes() {
        bff.fake.on(call, Reply::Json(answer));
        for (name, value, challenge) in [
            ("x-nothing", "", r#"ApiKey realm="triptych", Bearer realm="triptych""#),
            ("x-api-key", "tpk_acme_wrong", r#"ApiKey realm="triptych""#),
            ("authorization", "Bearer tpk_acme_secret", r#"Bearer realm="triptych", error="invalid_token""#),
        ] {
            let answer = ask(&bff.anonymous().with(name, value), route).await;
            assert_eq!(answer.status, 401, "{route}");
            assert_eq!(answer.header("www-authenticate"), challenge, "{route}");
            assert_eq!(answer.header("ratelimit"), "", "nobody has no plan");
        }
        let answer = ask(&bff.client(), route).await;
        assert!(answer.status.is_success(), "{route}: {}", line(&answer));
    }
    assert_eq!(bff.calls().len(), routes().len(), "{:?}", bff.calls());
}

#[tokio::test]
async fn what_is_open_is_open_and_nothing_else_is_there() {
    let bff = Bff::start().await;
    for (path, status) in [
        ("/docs", 200),
        ("/docs/start.js", 200),
        ("/v1/openapi.json", 200),
        ("/v1/nothing", 404),
        ("/v2/orders", 404),
        ("/docs/index.html", 404),
        ("/docs/../v1/usage", 404),
        ("/", 404),
    ] {
        assert_eq!(bff.anonymous().get(path).await.status, status, "{path}");
    }
    let answer = bff.client().send(Method::DELETE, "/v1/orders/o_1", None).await;
    insta::assert_snapshot!(line(&answer), @r#"405 {"instance":"/partner/v1/orders/o_1","request_id":"…","status":405,"title":"The resource does not have this method","type":"urn:triptych:problem:method-not-allowed"}"#);
    assert_eq!(answer.header("allow"), "GET,HEAD");
    insta::assert_snapshot!(line(&bff.client().get("/v1/nothing").await), @r#"404 {"instance":"/partner/v1/nothing","request_id":"…","status":404,"title":"There is nothing here","type":"urn:triptych:problem:not-found"}"#);
    assert_eq!(bff.calls(), [""; 0]);
}

#[tokio::test]
async fn the_identity_provider_is_needed_for_the_first_token() {
    let bff = Bff::start().await;
    bff.fake.on("POST /token", Reply::Reset);
    let answer = bff.client().get("/v1/usage").await;
    insta::assert_snapshot!(line(&answer), @r#"503 {"instance":"/partner/v1/usage","request_id":"…","status":503,"title":"A service behind this one is not available","type":"urn:triptych:problem:unavailable"}"#);
    assert_eq!(answer.header("retry-after"), "5");
}
