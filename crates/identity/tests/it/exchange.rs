//! Each domain service gets a token for itself alone, in the name of whoever calls.

mod interleavings;

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures::future::join_all;
use identity::{Accounts, Tokens, X_API_KEY};
use jiff::Timestamp;
use request_context::{
    AccessToken, Authenticate, Caller, Deadline, RequestContext, RequestId, Scopes, Subject, Trace,
};
use serde_json::{Value, json};
use upstream_client::{Credential, TokenError, TokenSource};

use super::api_keys::{Keys, key, partners};
use super::exchanger::Exchanger;
use super::support::{head, pass, request, until};

pub(super) fn tokens(exchanger: &Exchanger, settings: &Value) -> Arc<Tokens> {
    Arc::new(Tokens::new(&exchanger.provider(settings)))
}

pub(super) fn request_of(subject: &str, token: &str) -> RequestContext {
    of_realm("http://idp", subject, token)
}

fn of_realm(realm: &str, subject: &str, token: &str) -> RequestContext {
    request().with_caller(Caller {
        realm: realm.into(),
        subject: Subject::parse(subject).unwrap(),
        scopes: Scopes::default(),
        token: AccessToken::new(token),
    })
}

/// The caller's token for `audience`, after `rejected` if that is one; or in a word why there is none.
pub(super) async fn token(
    tokens: &Tokens,
    ctx: &RequestContext,
    audience: &'static str,
    rejected: Option<&str>,
) -> String {
    word(tokens.token(ctx, Credential::Caller, audience, rejected.map(AccessToken::new).as_ref()).await)
}

fn word(token: Result<AccessToken, TokenError>) -> String {
    match token {
        Ok(token) => token.expose().to_owned(),
        Err(TokenError::Refused) => "refused".to_owned(),
        Err(TokenError::Unavailable(_)) => "unavailable".to_owned(),
    }
}

#[tokio::test]
async fn each_service_gets_a_token_for_itself_alone() {
    let exchanger = Exchanger::start().await;
    let tokens = tokens(&exchanger, &json!({"audiences": {"catalog": "https://catalog.example"}}));
    let ctx = request_of("u_42", "adas");
    for _ in 0..3 {
        assert_eq!(token(&tokens, &ctx, "orders", None).await, "adas@orders#1");
        assert_eq!(token(&tokens, &ctx, "users", None).await, "adas@users#1");
    }
    let form = exchanger.last_form();
    let form: Vec<_> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let access_token = "urn:ietf:params:oauth:token-type:access_token";
    let expected = [
        ("audience", "users"),
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("requested_token_type", access_token),
        ("subject_token", "adas"),
        ("subject_token_type", access_token),
    ];
    assert_eq!(form, expected);

    let own = tokens.token(&ctx, Credential::Service, "catalog", None).await;
    assert_eq!(word(own), "own-1@https://catalog.example#1", "our own token speaks for nobody else");
    assert_eq!(exchanger.asked(), 4);
    assert_eq!(token(&tokens, &request(), "orders", None).await, "refused");
    assert_eq!(word(tokens.token(&ctx, Credential::Nobody, "orders", None).await), "refused");
}

#[tokio::test]
async fn the_same_token_of_another_realm_is_another_token() {
    let exchanger = Exchanger::start().await;
    let tokens = tokens(&exchanger, &json!({}));
    for realm in ["http://idp", "http://other"] {
        token(&tokens, &of_realm(realm, "u_42", "adas"), "orders", None).await;
    }
    assert_eq!(exchanger.exchanges("adas", "orders"), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_calls_at_once_make_one_exchange() {
    for _ in 0..10 {
        let exchanger = Exchanger::start().await;
        let tokens = tokens(&exchanger, &json!({}));
        let calls = (0..100).map(|_| {
            let tokens = tokens.clone();
            // Each with a token of its own making, as each request has.
            tokio::spawn(async move { token(&tokens, &request_of("u_42", "adas"), "orders", None).await })
        });
        for call in calls.collect::<Vec<_>>() {
            assert_eq!(call.await.unwrap(), "adas@orders#1");
        }
        assert_eq!(exchanger.asked(), 1);
    }
}

#[tokio::test]
async fn a_token_that_a_service_refused_is_exchanged_once_anew() {
    let exchanger = Exchanger::start().await;
    let tokens = tokens(&exchanger, &json!({}));
    let ctx = request_of("u_42", "adas");
    let first = token(&tokens, &ctx, "orders", None).await;
    let young = token(&tokens, &ctx, "orders", Some(&first)).await;
    assert_eq!(
        (young.as_str(), exchanger.asked()),
        ("refused", 1),
        "a service that refuses all made us ask for ever"
    );

    pass(Duration::from_secs(5)).await;
    let after = join_all((0..100).map(|_| token(&tokens, &ctx, "orders", Some(&first)))).await;
    assert!(after.iter().all(|token| token == "adas@orders#2"), "{after:?}");
    assert_eq!(token(&tokens, &ctx, "orders", Some(&first)).await, "adas@orders#2");
    assert_eq!(exchanger.asked(), 2);

    exchanger.give_the_same_again();
    pass(Duration::from_hours(1)).await;
    let ctx = request_of("u_42", "adas");
    let same = token(&tokens, &ctx, "orders", None).await;
    pass(Duration::from_secs(5)).await;
    assert_eq!(
        token(&tokens, &ctx, "orders", Some(&same)).await,
        "refused",
        "the same one would be refused again"
    );
}

#[tokio::test]
async fn a_token_is_replaced_behind_a_request_before_it_ends() {
    let exchanger = Exchanger::start().await;
    exchanger.set_expires_in(Some(300));
    let tokens = tokens(&exchanger, &json!({}));
    let ctx = request_of("u_42", "adas");
    let call = || token(&tokens, &ctx, "orders", None);
    assert_eq!(call().await, "adas@orders#1");
    pass(Duration::from_secs(239)).await;
    assert_eq!((call().await.as_str(), exchanger.asked()), ("adas@orders#1", 1));
    pass(Duration::from_secs(1)).await;
    exchanger.hold();
    assert_eq!(call().await, "adas@orders#1", "it waited for the new one");
    until(|| exchanger.asked() == 2).await;
    exchanger.release();
    until(|| exchanger.exchanges("adas", "orders") == 2).await;
    pass(Duration::from_mins(1)).await;
    assert_eq!(call().await, "adas@orders#2");
}

#[tokio::test]
async fn no_token_outlives_the_one_it_was_exchanged_for() {
    let exchanger = Exchanger::start().await;
    let tokens = tokens(&exchanger, &json!({}));
    let claims = json!({"sub": "u_42", "exp": Timestamp::now().as_second() + 100});
    let subject = format!("h.{}.s", URL_SAFE_NO_PAD.encode(claims.to_string()));
    let ctx = request_of("u_42", &subject);
    let call = || token(&tokens, &ctx, "orders", None);
    call().await;
    pass(Duration::from_secs(90)).await;
    call().await;
    assert_eq!(exchanger.asked(), 1, "another would end no later");
    pass(Duration::from_secs(10)).await;
    exchanger.refuse(&subject);
    assert_eq!(call().await, "refused");
}

#[tokio::test]
async fn while_the_provider_is_down_tokens_at_hand_work_and_it_is_left_in_peace() {
    let exchanger = Exchanger::start().await;
    exchanger.set_expires_in(Some(300));
    let tokens = tokens(&exchanger, &json!({}));
    let (ada, bob) = (request_of("u_42", "adas"), request_of("u_7", "bobs"));
    token(&tokens, &ada, "orders", None).await;
    pass(Duration::from_secs(290)).await;
    exchanger.set_down(true);
    for _ in 0..20 {
        assert_eq!(token(&tokens, &ada, "orders", None).await, "adas@orders#1");
        let others =
            join_all(["orders", "users", "catalog"].map(|service| token(&tokens, &bob, service, None))).await;
        assert_eq!(others, ["unavailable"; 3]);
    }
    // Three rounds, since less could be the fault of one token, and no other.
    assert!(exchanger.asked() <= 1 + 3 * 4, "{}", exchanger.asked());
    exchanger.set_down(false);
    pass(Duration::from_secs(5)).await;
    assert_eq!(token(&tokens, &bob, "orders", None).await, "bobs@orders#1");
    assert_eq!(token(&tokens, &ada, "orders", None).await, "adas@orders#1", "it was lost in the outage");
}

#[tokio::test]
async fn who_cannot_wait_leaves_and_the_token_comes_for_the_rest() {
    let exchanger = Exchanger::start().await;
    let tokens = tokens(&exchanger, &json!({}));
    let patient = request_of("u_42", "adas");
    // The provider's address is learned before time counts.
    token(&tokens, &patient, "users", None).await;
    exchanger.hold();
    let hurried =
        RequestContext::new(RequestId::generate(), Trace::start(), Deadline::after(Duration::from_secs(1)));
    let hurried = hurried.with_caller(patient.caller().unwrap().clone());
    let begun = tokio::spawn({
        let tokens = tokens.clone();
        async move { token(&tokens, &hurried, "orders", None).await }
    });
    let rest = tokio::spawn(async move { token(&tokens, &patient, "orders", None).await });
    until(|| exchanger.asked() == 2).await;
    pass(Duration::from_secs(1)).await;
    assert_eq!(begun.await.unwrap(), "unavailable");
    exchanger.release();
    assert_eq!(rest.await.unwrap(), "adas@orders#1");
    assert_eq!(exchanger.exchanges("adas", "orders"), 1);
}

#[tokio::test]
async fn a_subject_token_that_the_provider_refuses_is_refused_and_not_asked_about_again_and_again() {
    let exchanger = Exchanger::start().await;
    let tokens = tokens(&exchanger, &json!({}));
    let (ada, bob) = (request_of("u_42", "adas"), request_of("u_7", "bobs"));
    exchanger.refuse("adas");
    for _ in 0..10 {
        assert_eq!(token(&tokens, &ada, "orders", None).await, "refused");
    }
    assert_eq!(exchanger.asked(), 1);
    assert_eq!(token(&tokens, &bob, "orders", None).await, "bobs@orders#1", "one bad token is no outage");
    pass(Duration::from_secs(5)).await;
    assert_eq!(token(&tokens, &ada, "orders", None).await, "refused");
    assert_eq!(exchanger.asked(), 3);
}

#[tokio::test]
async fn a_service_for_which_there_are_no_tokens_takes_nothing_from_the_others() {
    let exchanger = Exchanger::start().await;
    exchanger.set_expires_in(Some(300));
    let tokens = tokens(&exchanger, &json!({}));
    let ada = request_of("u_42", "adas");
    assert_eq!(token(&tokens, &ada, "users", None).await, "adas@users#1");
    exchanger.deny("billing", true);
    exchanger.deny("users", true);
    for _ in 0..10 {
        assert_eq!(token(&tokens, &ada, "billing", None).await, "unavailable");
    }
    assert_eq!(exchanger.asked(), 2);
    assert_eq!(token(&tokens, &ada, "orders", None).await, "adas@orders#1");
    pass(Duration::from_secs(290)).await;
    for _ in 0..10 {
        assert_eq!(
            token(&tokens, &ada, "users", None).await,
            "adas@users#1",
            "the one at hand was as good as before"
        );
        until(|| exchanger.asked() == 4).await;
    }
    exchanger.deny("billing", false);
    assert_eq!(token(&tokens, &ada, "billing", None).await, "adas@billing#1");
}

#[tokio::test]
async fn what_is_ours_to_renew_is_renewed_once_when_the_provider_refuses_it() {
    let exchanger = Exchanger::start().await;
    exchanger.set_expires_in(Some(300));
    let provider = exchanger.provider(&json!({}));
    let accounts = Accounts::new(&partners(), &provider);
    let tokens = Tokens::new(&provider).with_accounts(Arc::clone(&accounts));
    let keys = Keys::new(&[&key("acme01", "first", "")]).open(&accounts).unwrap();
    let caller = keys.authenticate(&request(), &head(&[(X_API_KEY, "tpk_acme01_first")])).await.unwrap();
    assert_eq!(caller.token.expose(), "own-1");
    pass(Duration::from_secs(5)).await;
    exchanger.refuse("own-1");
    let ctx = request().with_caller(caller);
    let all = join_all((0..100).map(|_| token(&tokens, &ctx, "orders", None))).await;
    assert!(all.iter().all(|token| token == "own-2@orders#1"), "{all:?}");
    assert_eq!(exchanger.asked(), 4);
    // What a user brought, or a partner, is not ours to renew.
    exchanger.refuse("revoked");
    for subject in ["u_42", "acct_acme"] {
        assert_eq!(token(&tokens, &request_of(subject, "revoked"), "orders", None).await, "refused");
    }

    let own = tokens.token(&ctx, Credential::Service, "catalog", None).await;
    assert_eq!(word(own), "own-3@catalog#1");
    exchanger.refuse("own-3");
    pass(Duration::from_mins(5)).await;
    let own = tokens.token(&ctx, Credential::Service, "catalog", None).await;
    assert_eq!(word(own), "own-4@catalog#1");
}
