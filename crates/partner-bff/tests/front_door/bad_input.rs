//! What each route says to what it cannot read. Nothing of it reaches a service.

use axum::http::Method;

use crate::{Bff, line};

#[tokio::test]
async fn queries() {
    let bff = Bff::start().await;
    let mut lines = vec![];
    for url in [
        "/v1/products?limit=0",
        "/v1/products?limit=201",
        "/v1/products?limit=ten",
        "/v1/products?limit=",
        "/v1/products?limit=1&limit=2",
        "/v1/products?q=",
        "/v1/products?cursor=",
        "/v1/products?cursor=a%20b",
        "/v1/products?page=2",
        "/v1/orders?limit=-1",
        "/v1/orders?status=lost",
        "/v1/orders?updated_since=yesterday",
        "/v1/orders?updated_since=2026-11-22T10:00:00",
        "/v1/orders?updated_since=2026-11-22T10:00:00+01:00",
        "/v1/orders?updatedSince=2026-11-22T10:00:00Z",
    ] {
        lines.push(format!("{url}\n  {}", line(&bff.client().get(url).await)));
    }
    insta::assert_snapshot!(lines.join("\n"), @r#"
    /v1/products?limit=0
      400 {"errors":[{"detail":"must be a whole number from 1 to 200","pointer":"?limit"}],"instance":"/partner/v1/products","request_id":"…","status":400,"title":"The request is not valid","type":"urn:triptych:problem:invalid-request"}
    /v1/products?limit=201
      400 {"errors":[{"detail":"must be a whole number from 1 to 200","pointer":"?limit"}],"instance":"/partner/v1/products","request_id":"…","status":400,"title":"The request is not valid","type":"urn:triptych:problem:invalid-request"}
    /v1/products?limit=ten
      400 {"errors":[{"detail":"must be a whole number from 1 to 200","pointer":"?limit"}],"instance":"/partner/v1/products","request_id":"…","status":400,"title":"The request is not valid","type":"urn:triptych:problem:invalid-request"}
    /v1/products?limit=
      400 {"errors":[{"detail":"must be a whole number from 1 to 200","pointer":"?limit"}],"instance":"/partner/v1/products","request_id":"…","status":400,"title":"The request is not valid","type":"urn:triptych:problem:invalid-request"}
    /v1/products?limit=1&limit=2
      400 {"errors":[{"detail":"is given more than once","pointer":"?limit"}],"instance":"/partner/v1/products","request_id":"…","status":400,"title":"The request is not valid","type":"urn:triptych:problem:invalid-request"}
    /v1/products?q=
      400 {"errors":[{"detail":"must have 1 to 200 characters","pointer":"?q"}],"instance":"/partner/v1/products","request_id":"…","status":400,"title":"The request is not valid","type":"urn:triptych:problem:invalid-request"}
    /v1/products?cursor=
      400 {"errors":[{"detail":"must be the next cursor of an earlier page, unchanged","pointer":"?cursor"}],"instance":"/partner/v1/products","request_id":"…","status":400,"title":"The request is not valid","type":"urn:triptych:problem:invalid-request"}
    /v1/products?cursor=a%20b
      400 {"errors":[{"detail":"must be the next cursor of an earlier page, unchanged","pointer":"?cursor"}],"instance":"/partner/v1/products","request_id":"…","status":400,"title":"The request is not valid","type":"urn:triptych:problem:invalid-request"}
    /v1/products?page=2
      400 {"errors":[{"detail":"is not known, expected one of `q`, `category`, `cursor`, `limit`","pointer":"?page"}],"instance":"/partner/v1/products","request_id":"…","status":400,"title":"The request is not valid","type":"urn:triptych:problem:invalid-request"}
    /v1/orders?limit=-1
      400 {"errors":[{"detail":"must be a whole number from 1 to 200","pointer":"?limit"}],"instance":"/partner/v1/orders","request_id":"…","status":400,"title":"The request is not valid","type":"urn:triptych:problem:invalid-request"}
    /v1/orders?status=lost
      400 {"errors":[{"detail":"must be one of `placed`, `paid`, `shipped`, `delivered`, `cancelled`","pointer":"?status"}],"instance":"/partner/v1/orders","request_id":"…","status":400,"title":"The request is not valid","type":"urn:triptych:problem:invalid-request"}
    /v1/orders?updated_since=yesterday
      400 {"errors":[{"detail":"must be an RFC 3339 time, such as 2026-11-22T10:00:00Z","pointer":"?updated_since"}],"instance":"/partner/v1/orders","request_id":"…","status":400,"title":"The request is not valid","type":"urn:triptych:problem:invalid-request"}
    /v1/orders?updated_since=2026-11-22T10:00:00
      400 {"errors":[{"detail":"must be an RFC 3339 time, such as 2026-11-22T10:00:00Z","pointer":"?updated_since"}],"instance":"/partner/v1/orders","request_id":"…","status":400,"title":"The request is not valid","type":"urn:triptych:problem:invalid-request"}
    /v1/orders?updated_since=2026-11-22T10:00:00+01:00
      400 {"errors":[{"detail":"must be an RFC 3339 time, such as 2026-11-22T10:00:00Z","pointer":"?updated_since"}],"instance":"/partner/v1/orders","request_id":"…","status":400,"title":"The request is not valid","type":"urn:triptych:problem:invalid-request"}
    /v1/orders?updatedSince=2026-11-22T10:00:00Z
      400 {"errors":[{"detail":"is not known, expected one of `status`, `updated_since`, `cursor`, `limit`","pointer":"?updatedSince"}],"instance":"/partner/v1/orders","request_id":"…","status":400,"title":"The request is not valid","type":"urn:triptych:problem:invalid-request"}
    "#);

    for name in ["q", "category"] {
        let long = format!("/v1/products?{name}={}", "x".repeat(201));
        assert_eq!(bff.client().get(&long).await.status, 400, "{name}");
    }
    assert_eq!(bff.calls(), [""; 0]);
}

#[tokio::test]
async fn ids() {
    let bff = Bff::start().await;
    let mut lines = vec![];
    for url in ["/v1/products/%2e%2e%2fadmin", "/v1/orders/o%3F1", "/v1/orders/o_1;x", "/v1/orders/%FF"] {
        lines.push(format!("{url}\n  {}", line(&bff.client().get(url).await)));
    }
    insta::assert_snapshot!(lines.join("\n"), @r#"
    /v1/products/%2e%2e%2fadmin
      400 {"errors":[{"detail":"must be 1 to 64 letters, digits, '_' or '-'","pointer":"{id}"}],"instance":"/partner/v1/products/%2e%2e%2fadmin","request_id":"…","status":400,"title":"The request is not valid","type":"urn:triptych:problem:invalid-request"}
    /v1/orders/o%3F1
      400 {"errors":[{"detail":"must be 1 to 64 letters, digits, '_' or '-'","pointer":"{id}"}],"instance":"/partner/v1/orders/o%3F1","request_id":"…","status":400,"title":"The request is not valid","type":"urn:triptych:problem:invalid-request"}
    /v1/orders/o_1;x
      400 {"errors":[{"detail":"must be 1 to 64 letters, digits, '_' or '-'","pointer":"{id}"}],"instance":"/partner/v1/orders/o_1;x","request_id":"…","status":400,"title":"The request is not valid","type":"urn:triptych:problem:invalid-request"}
    /v1/orders/%FF
      400 {"detail":"The path is not UTF-8.","instance":"/partner/v1/orders/%FF","request_id":"…","status":400,"title":"The request is not valid","type":"urn:triptych:problem:invalid-request"}
    "#);
    assert_eq!(bff.calls(), [""; 0]);
}

#[tokio::test]
async fn bodies() {
    let bff = Bff::start().await;
    let mut lines = vec![];
    for body in [
        "",
        "{",
        "[]",
        "{}",
        r#"{"product_id": "p_7"}"#,
        r#"{"product_id": "p_7", "quantity": 0}"#,
        r#"{"product_id": "p_7", "quantity": -1}"#,
        r#"{"product_id": "p_7", "quantity": "two"}"#,
        r#"{"product_id": "../admin", "quantity": 1}"#,
        r#"{"product_id": "p_7", "quantity": 1, "price": 0}"#,
        r#"{"productId": "p_7", "quantity": 1}"#,
    ] {
        let answer = bff.client().send(Method::POST, "/v1/orders", Some(body.to_owned())).await;
        lines.push(format!("> {body}\n  {}", line(&answer)));
    }
    insta::assert_snapshot!(lines.join("\n"), @r#"
    > 
      400 {"detail":"EOF while parsing a value at line 1 column 0.","instance":"/partner/v1/orders","request_id":"…","status":400,"title":"The body is not valid JSON","type":"urn:triptych:problem:malformed-json"}
    > {
      400 {"detail":"EOF while parsing an object at line 1 column 1.","instance":"/partner/v1/orders","request_id":"…","status":400,"title":"The body is not valid JSON","type":"urn:triptych:problem:malformed-json"}
    > []
      400 {"errors":[{"detail":"must be an object","pointer":""}],"instance":"/partner/v1/orders","request_id":"…","status":400,"title":"The request is not valid","type":"urn:triptych:problem:invalid-request"}
    > {}
      400 {"errors":[{"detail":"is missing","pointer":"/product_id"}],"instance":"/partner/v1/orders","request_id":"…","status":400,"title":"The request is not valid","type":"urn:triptych:problem:invalid-request"}
    > {"product_id": "p_7"}
      400 {"errors":[{"detail":"is missing","pointer":"/quantity"}],"instance":"/partner/v1/orders","request_id":"…","status":400,"title":"The request is not valid","type":"urn:triptych:problem:invalid-request"}
    > {"product_id": "p_7", "quantity": 0}
      400 {"errors":[{"detail":"must be a whole number from 1 to 4294967295","pointer":"/quantity"}],"instance":"/partner/v1/orders","request_id":"…","status":400,"title":"The request is not valid","type":"urn:triptych:problem:invalid-request"}
    > {"product_id": "p_7", "quantity": -1}
      400 {"errors":[{"detail":"must be a whole number from 1 to 4294967295","pointer":"/quantity"}],"instance":"/partner/v1/orders","request_id":"…","status":400,"title":"The request is not valid","type":"urn:triptych:problem:invalid-request"}
    > {"product_id": "p_7", "quantity": "two"}
      400 {"errors":[{"detail":"must be a whole number from 1 to 4294967295","pointer":"/quantity"}],"instance":"/partner/v1/orders","request_id":"…","status":400,"title":"The request is not valid","type":"urn:triptych:problem:invalid-request"}
    > {"product_id": "../admin", "quantity": 1}
      400 {"errors":[{"detail":"must be 1 to 64 letters, digits, '_' or '-'","pointer":"/product_id"}],"instance":"/partner/v1/orders","request_id":"…","status":400,"title":"The request is not valid","type":"urn:triptych:problem:invalid-request"}
    > {"product_id": "p_7", "quantity": 1, "price": 0}
      400 {"errors":[{"detail":"is not known, expected `product_id` or `quantity`","pointer":"/price"}],"instance":"/partner/v1/orders","request_id":"…","status":400,"title":"The request is not valid","type":"urn:triptych:problem:invalid-request"}
    > {"productId": "p_7", "quantity": 1}
      400 {"errors":[{"detail":"is not known, expected `product_id` or `quantity`","pointer":"/productId"}],"instance":"/partner/v1/orders","request_id":"…","status":400,"title":"The request is not valid","type":"urn:triptych:problem:invalid-request"}
    "#);
    assert_eq!(bff.calls(), [""; 0]);
}

#[tokio::test]
async fn headers() {
    let bff = Bff::start().await;
    let long = "k".repeat(256);
    let mut lines = vec![];
    for key in ["", "two words", &long] {
        let client = bff.client().with("idempotency-key", key);
        let body = Some(r#"{"product_id": "p_7", "quantity": 1}"#.to_owned());
        lines.push(line(&client.send(Method::POST, "/v1/orders", body).await));
    }
    lines.push(line(&bff.client().send(Method::POST, "/v1/orders", None).await));
    insta::assert_snapshot!(lines.join("\n"), @r#"
    400 {"detail":"Idempotency-Key must be one text of 1 to 255 visible ASCII characters.","instance":"/partner/v1/orders","request_id":"…","status":400,"title":"The request is not valid","type":"urn:triptych:problem:invalid-request"}
    400 {"detail":"Idempotency-Key must be one text of 1 to 255 visible ASCII characters.","instance":"/partner/v1/orders","request_id":"…","status":400,"title":"The request is not valid","type":"urn:triptych:problem:invalid-request"}
    400 {"detail":"Idempotency-Key must be one text of 1 to 255 visible ASCII characters.","instance":"/partner/v1/orders","request_id":"…","status":400,"title":"The request is not valid","type":"urn:triptych:problem:invalid-request"}
    415 {"instance":"/partner/v1/orders","request_id":"…","status":415,"title":"The body must be application/json","type":"urn:triptych:problem:unsupported-media-type"}
    "#);
    assert_eq!(bff.calls(), [""; 0]);
}
