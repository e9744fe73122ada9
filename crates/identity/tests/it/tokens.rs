//! Tokens that pass through, and those that are ours to renew. What an exchange adds is in `exchange`.

use std::sync::Arc;
use std::time::Duration;

use identity::{Accounts, Tokens, X_API_KEY};
use request_context::{AccessToken, Authenticate, Caller, RequestContext, Scopes, Subject};
use serde_json::json;
use upstream_client::{Credential, TokenError, TokenSource};

use super::api_keys::{Keys, accounts, key, partners};
use super::provider::FakeProvider;
use super::support::{head, pass, provider, request, until};

fn tokens(fake: &FakeProvider) -> Arc<Tokens> {
    let provider = provider(fake, &json!({"exchange": {"mode": "pass_through"}}));
    let accounts = Accounts::new(&partners(), &provider);
    Arc::new(Tokens::new(&provider).with_accounts(accounts))
}

fn request_of(subject: &str, token: &str) -> RequestContext {
    request().with_caller(Caller {
        realm: "http://127.0.0.1:3007".into(),
        subject: Subject::parse(subject).unwrap(),
        scopes: Scopes::default(),
        token: AccessToken::new(token),
    })
}

async fn token(
    tokens: &Tokens,
    ctx: &RequestContext,
    credential: Credential,
    rejected: Option<&str>,
) -> Result<String, TokenError> {
    let rejected = rejected.map(AccessToken::new);
    let token = tokens.token(ctx, credential, "orders", rejected.as_ref()).await?;
    Ok(token.expose().to_owned())
}

#[tokio::test]
async fn a_callers_token_passes_through_and_is_not_ours_to_renew() {
    let fake = FakeProvider::start(&[]).await;
    let tokens = tokens(&fake);
    let ctx = request_of("u_42", "adas");
    assert_eq!(token(&tokens, &ctx, Credential::Caller, None).await.unwrap(), "adas");
    for (ctx, credential, rejected) in [
        (&ctx, Credential::Caller, Some("adas")),
        (&ctx, Credential::Nobody, None),
        (&request(), Credential::Caller, None),
    ] {
        let result = token(&tokens, ctx, credential, rejected).await;
        assert!(matches!(result, Err(TokenError::Refused)), "{credential:?}: {result:?}");
    }
    assert_eq!(fake.calls("/token"), 0);
}

#[tokio::test]
async fn a_partners_token_is_renewed_once_for_all_whom_it_failed() {
    let fake = FakeProvider::start(&[]).await;
    let accounts = accounts(&fake);
    let settings = json!({"exchange": {"mode": "pass_through"}});
    let tokens = Tokens::new(&provider(&fake, &settings)).with_accounts(Arc::clone(&accounts));
    let keys = Keys::new(&[&key("acme01", "first", "")]).open(&accounts).unwrap();
    let caller = keys.authenticate(&request(), &head(&[(X_API_KEY, "tpk_acme01_first")])).await.unwrap();
    assert_eq!(caller.token.expose(), "token-1");
    pass(Duration::from_secs(5)).await;

    let ctx = request().with_caller(caller);
    let renewed = || token(&tokens, &ctx, Credential::Caller, Some("token-1"));
    let all = futures::future::join_all((0..100).map(|_| renewed())).await;
    assert!(all.into_iter().all(|token| token.unwrap() == "token-2"));
    assert_eq!(renewed().await.unwrap(), "token-2");
    assert_eq!(fake.calls("/token"), 2);

    // A token that was brought, of this account or another's, is not replaced by one that may do more.
    for (account, rejected) in [("acct_acme", "brought"), ("acct_globex", "token-1")] {
        let ctx = request_of(account, rejected);
        let refused = token(&tokens, &ctx, Credential::Caller, Some(rejected)).await;
        assert!(matches!(refused, Err(TokenError::Refused)), "{account}: {refused:?}");
    }
    assert_eq!(fake.calls("/token"), 2);
}

#[tokio::test]
async fn the_services_own_token_is_shared_and_replaced_when_refused() {
    let fake = FakeProvider::start(&[]).await;
    let tokens = tokens(&fake);
    let ctx = request_of("u_42", "adas");
    let service = |rejected| token(&tokens, &ctx, Credential::Service, rejected);
    let all = futures::future::join_all((0..100).map(|_| service(None))).await;
    assert!(all.into_iter().all(|token| token.unwrap() == "token-1"));
    let basic = "Basic bW9iaWxlLWJmZjpzZSUzQWNyZXQ=".to_owned();
    assert_eq!(fake.token_requests(), [(basic, "grant_type=client_credentials".to_owned())]);

    let young = service(Some("token-1")).await;
    assert!(matches!(young, Err(TokenError::Refused)), "a service that refuses all made us ask for ever");
    pass(Duration::from_secs(5)).await;
    assert_eq!(service(Some("token-1")).await.unwrap(), "token-2");
    assert_eq!(service(Some("token-1")).await.unwrap(), "token-2");
    assert_eq!(service(None).await.unwrap(), "token-2");
}

#[tokio::test(flavor = "multi_thread")]
async fn on_every_thread_at_once_it_is_fetched_once() {
    for _ in 0..20 {
        let fake = FakeProvider::start(&[]).await;
        let tokens = tokens(&fake);
        let requests = (0..100).map(|_| {
            let tokens = tokens.clone();
            tokio::spawn(async move { token(&tokens, &request(), Credential::Service, None).await })
        });
        for request in requests.collect::<Vec<_>>() {
            assert_eq!(request.await.unwrap().unwrap(), "token-1");
        }
        assert_eq!(fake.calls("/token"), 1);
    }
}

#[tokio::test]
async fn a_token_is_replaced_behind_a_request_before_it_ends() {
    let fake = FakeProvider::start(&[]).await;
    let tokens = tokens(&fake);
    let ctx = request();
    let service = || token(&tokens, &ctx, Credential::Service, None);
    assert_eq!(service().await.unwrap(), "token-1");
    pass(Duration::from_secs(3539)).await;
    assert_eq!(service().await.unwrap(), "token-1");
    assert_eq!(fake.calls("/token"), 1);
    pass(Duration::from_secs(1)).await;
    fake.hold();
    assert_eq!(service().await.unwrap(), "token-1", "it waited for the new one");
    until(|| fake.calls("/token") == 2).await;
    fake.release();
    until(|| fake.token_requests().len() == 2).await;
    pass(Duration::from_mins(1)).await;
    assert_eq!(service().await.unwrap(), "token-2");
}

#[tokio::test]
async fn a_token_without_a_lifetime_lives_a_minute() {
    let fake = FakeProvider::start(&[]).await;
    fake.set_token(json!({"token_type": "bearer"}));
    let tokens = tokens(&fake);
    let ctx = request();
    let service = || token(&tokens, &ctx, Credential::Service, None);
    assert_eq!(service().await.unwrap(), "token-1");
    pass(Duration::from_mins(1)).await;
    assert_eq!(service().await.unwrap(), "token-2");
}
