//! A key or a token, and not both; and whoever guesses has to wait.

use test_support::{Client, Reply};

use crate::{Bff, ask, line, report, routes};

#[tokio::test]
async fn a_token_of_a_partners_account_does_what_its_scopes_say() {
    let bff = Bff::start().await;
    for (route, needed, call, answer) in routes() {
        bff.fake.on(call, Reply::Json(answer));
        let answer = ask(&bff.with_token("acct_acme", &format!("openid {needed}")), route).await;
        assert!(answer.status.is_success(), "{route}: {}", line(&answer));
        let answer = ask(&bff.with_token("acct_acme", "openid"), route).await;
        assert_eq!(answer.status, 403, "{route}");
    }
    assert_eq!(bff.calls().len(), routes().len());
    let own = |body: &[u8]| String::from_utf8_lossy(body).contains("client_credentials");
    let own = bff.fake.seen().iter().filter(|seen| seen.route == "POST /token" && own(&seen.body)).count();
    assert!(
        own <= 1,
        "but for the catalog, which is asked as the service, the partner's token speaks for it"
    );
}

#[tokio::test]
async fn what_is_no_partners_or_two_is_refused_and_told_why() {
    let bff = Bff::start().await;
    let user = bff.with_token("u_42", "usage:read").get("/v1/usage").await;
    insta::assert_snapshot!(line(&user), @r#"403 {"detail":"The token is not that of a partner's account.","instance":"/partner/v1/usage","request_id":"…","status":403,"title":"The credential does not allow this","type":"urn:triptych:problem:forbidden"}"#);
    let both = bff.with_token("acct_acme", "usage:read").with("x-api-key", "tpk_acme_secret");
    let both = both.get("/v1/usage").await;
    insta::assert_snapshot!(line(&both), @r#"401 {"detail":"Send X-API-Key or Authorization, not both.","instance":"/partner/v1/usage","request_id":"…","status":401,"title":"A valid credential is needed","type":"urn:triptych:problem:unauthenticated"}"#);
    assert_eq!(bff.calls(), [""; 0]);
}

#[tokio::test]
async fn guesses_are_limited_and_good_keys_are_not() {
    let bff = Bff::with(|settings| {
        settings.requests.trusted_proxies = vec!["127.0.0.0/8".parse().expect("a network")];
    })
    .await;
    bff.fake.on("GET /accounts/acct_acme/usage", Reply::Json(report()));
    let from = |client: Client, address: &str| client.with("x-forwarded-for", address);
    for _ in 0..20 {
        let guess = from(bff.anonymous().with("x-api-key", "tpk_acme_guess"), "192.0.2.1");
        assert_eq!(guess.get("/v1/usage").await.status, 401);
    }
    let guess = from(bff.anonymous().with("x-api-key", "tpk_acme_guess"), "192.0.2.1");
    let stopped = guess.get("/v1/usage").await;
    insta::assert_snapshot!(line(&stopped), @r#"429 {"detail":"Too many credentials from this address were bad.","instance":"/partner/v1/usage","request_id":"…","status":429,"title":"There were too many requests","type":"urn:triptych:problem:too-many-requests"}"#);
    let wait: u64 = stopped.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    assert_eq!(stopped.header("ratelimit"), "", "nobody was identified");
    for address in ["192.0.2.1", "192.0.2.2"] {
        assert_eq!(from(bff.client(), address).get("/v1/usage").await.status, 200, "a good key always opens");
    }
    assert_eq!(bff.client().get("/v1/usage").await.status, 200);
}
