//! What a key must allow.

use serde_json::json;
use test_support::Reply;

use crate::{ALL_SCOPES, Bff, ask, line, routes, write_keys};

/// With the key of a partner that has these scopes.
async fn start(scopes: &[&str]) -> Bff {
    Bff::with(|settings| write_keys(settings, &[("acme", scopes)])).await
}

#[tokio::test]
async fn a_key_without_the_scope_makes_no_call() {
    for (route, needed, call, answer) in routes() {
        let others: Vec<_> = ALL_SCOPES.iter().copied().filter(|scope| *scope != needed).collect();
        let bff = start(&others).await;
        bff.fake.on(call, Reply::Json(answer));
        assert_eq!(ask(&bff.client(), route).await.status, 403, "{route}");
        assert_eq!(bff.calls(), [""; 0], "{route}");
    }
}

#[tokio::test]
async fn a_key_with_the_scope_alone_is_enough() {
    for (route, needed, call, answer) in routes() {
        let bff = start(&[needed]).await;
        bff.fake.on(call, Reply::Json(answer));
        let answer = ask(&bff.client(), route).await;
        assert!(answer.status.is_success(), "{route}: {}", line(&answer));
    }
}

#[tokio::test]
async fn the_document_names_the_scope_of_every_route() {
    let document = Bff::start().await.anonymous().get("/v1/openapi.json").await.json();
    for (route, needed, ..) in routes() {
        let (method, path) = route.split_once(' ').unwrap();
        let path = path.replace("p_7", "{id}").replace("o_1", "{id}");
        let operation = &document["paths"][path][method.to_lowercase()];
        assert_eq!(
            operation["security"],
            json!([{"api_key": [needed]}, {"access_token": [needed]}]),
            "{route}"
        );
        let text = operation["description"].as_str().unwrap_or_default();
        assert!(text.ends_with(&format!("Needs the scope `{needed}`.")), "{route}: {text}");
    }
}

#[tokio::test]
async fn the_refusal_says_what_is_lacking_before_it_reads_on() {
    let bff = start(&["orders:read"]).await;
    let answer = bff.client().post("/v1/orders", &json!("not even an order")).await;
    insta::assert_snapshot!(line(&answer), @r#"403 {"detail":"The credential lacks the scope orders:write.","instance":"/partner/v1/orders","request_id":"…","status":403,"title":"The credential does not allow this","type":"urn:triptych:problem:forbidden"}"#);
}
