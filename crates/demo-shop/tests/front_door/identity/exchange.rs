use demo_shop::Service::{Orders, Users};
use serde_json::json;

use super::sign_in::{redeem, sign_in, text};
use super::{ask, is_error, token, verified};
use crate::client::{Answer, Shop};

const EXCHANGE: (&str, &str) = ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange");
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// Exchanges a token as web-bff.
pub(super) async fn exchange(shop: &Shop, subject_token: &str, audience: &str) -> Answer {
    exchange_with(shop, subject_token, &[("audience", audience)]).await
}

async fn exchange_with(shop: &Shop, subject_token: &str, more: &[(&str, &str)]) -> Answer {
    let form = [EXCHANGE, ("subject_token", subject_token), ("subject_token_type", ACCESS_TOKEN)];
    token(shop, &[&form[..], more].concat()).await
}

#[tokio::test]
async fn a_token_is_exchanged_for_one_that_a_single_service_takes() {
    let shop = Shop::open().await;
    let (code, _) = sign_in(&shop, "u_42").await;
    let answer = redeem(&shop, &code).await.json();
    let subject = verified(&shop, text(&answer, "access_token"), "web-bff").await;

    let exchanged = exchange(&shop, text(&answer, "access_token"), "orders").await;
    assert_eq!(exchanged.status, 200, "{exchanged:?}");
    assert_eq!(exchanged.headers["cache-control"], "no-store");
    let exchanged = exchanged.json();
    assert_eq!(
        (&exchanged["token_type"], &exchanged["issued_token_type"]),
        (&json!("Bearer"), &json!(ACCESS_TOKEN))
    );
    let claims = verified(&shop, text(&exchanged, "access_token"), "orders").await;
    assert_eq!((&claims["sub"], &claims["aud"]), (&json!("u_42"), &json!(["orders"])));
    assert_eq!((&claims["client_id"], &claims["act"]), (&json!("web-bff"), &json!({"sub": "web-bff"})));
    assert_eq!(claims["scope"], subject["scope"]);
    assert!(claims["exp"].as_i64() <= subject["exp"].as_i64(), "it outlives the subject token");

    let narrower = [("audience", "orders"), ("scope", "orders:read")];
    let narrower = exchange_with(&shop, text(&answer, "access_token"), &narrower).await.json();
    assert_eq!(narrower["scope"], "orders:read");

    let token = text(&exchanged, "access_token");
    assert_eq!(shop.get(Orders, "/orders?userId=u_42").bearer(token).send().await.status, 200);
    shop.get(Users, "/users/u_42").bearer(token).send().await.is_problem(401, "unauthenticated");
    is_error(&exchange(&shop, token, "users").await, 400, "invalid_request");
}

#[tokio::test]
async fn a_service_exchanges_its_own_token_and_a_partners() {
    let shop = Shop::open().await;
    for (client, subject, act) in
        [("web-bff", "web-bff", json!(null)), ("acme", "acct_acme", json!({"sub": "web-bff"}))]
    {
        let exchanged = exchange(&shop, &shop.client(client).await, "catalog").await.json();
        let claims = verified(&shop, text(&exchanged, "access_token"), "catalog").await;
        assert_eq!(
            (&claims["sub"], &claims["act"], &claims["aud"]),
            (&json!(subject), &act, &json!(["catalog"]))
        );
    }
}

#[tokio::test]
async fn what_is_wrong_with_an_exchange_has_its_own_error() {
    let shop = Shop::open().await;
    let good = shop.user("u_42").await;
    for (changes, error) in [
        (&[("audience", "identity")][..], "invalid_target"),
        (&[("audience", "")], "invalid_request"),
        (&[("audience", "orders"), ("resource", "https://orders.example")], "invalid_target"),
        (&[("audience", "orders"), ("scope", "orders:read admin")], "invalid_scope"),
        (&[("audience", "orders"), ("actor_token", "a")], "invalid_request"),
        (
            &[("audience", "orders"), ("requested_token_type", "urn:ietf:params:oauth:token-type:id_token")],
            "invalid_request",
        ),
    ] {
        let answer = exchange_with(&shop, &good, changes).await;
        is_error(&answer, 400, error);
    }
    is_error(&exchange(&shop, "no.such.token", "orders").await, 400, "invalid_request");
    let untyped = [EXCHANGE, ("subject_token", &good), ("audience", "orders")];
    is_error(&token(&shop, &untyped).await, 400, "invalid_request");
    let as_partner = [EXCHANGE, ("client_id", "acme"), ("client_secret", "demo-secret-of-acme")];
    is_error(&ask(&shop, "/token", &as_partner).await, 400, "unauthorized_client");
    is_error(&ask(&shop, "/token", &[EXCHANGE, ("client_id", "web-bff")]).await, 401, "invalid_client");
}
