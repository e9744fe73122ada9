//! `GET /v1/usage`.

use test_support::Reply;

use crate::{Bff, body, report};

#[tokio::test]
async fn usage_and_quota_of_the_account() {
    let bff = Bff::start().await;
    bff.fake.on("GET /accounts/acct_acme/usage", Reply::Json(report()));
    let answer = bff.client().get("/v1/usage").await;
    assert_eq!(answer.status, 200);
    insta::assert_json_snapshot!(body(&answer), @"");
    assert_eq!(bff.calls(), ["GET /accounts/acct_acme/usage?"]);
}
