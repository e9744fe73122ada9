//! `GET /v1/usage`.

use test_support::Reply;

use crate::{Bff, body, report};

#[tokio::test]
async fn usage_and_quota_of_the_account() {
    let bff = Bff::start().await;
    bff.fake.on("GET /accounts/acct_acme/usage", Reply::Json(report()));
    let answer = bff.client().get("/v1/usage").await;
    assert_eq!(answer.status, 200);
    insta::assert_json_snapshot!(body(&answer), @r#"
    {
      "data": {
        "api_call_limit": 100000,
        "api_calls": 1200,
        "orders_placed": 61,
        "period": {
          "from": "2026-11-01T00:00:00Z",
          "to": "2026-12-01T00:00:00Z"
        },
        "rate_limit": {
          "limit": 600,
          "plan": "default",
          "remaining": 599,
          "resets_in_seconds": 1,
          "window_seconds": 60
        },
        "storage_bytes": 5000000000,
        "storage_limit_bytes": 10000000000
      }
    }
    "#);
    assert_eq!(bff.calls(), ["GET /accounts/acct_acme/usage?"]);
}
