use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use demo_shop::Service::Identity;
use http::Uri;
use serde_json::json;
use tokio::net::TcpListener;

use super::sign_in::{authorize, came_back, parameter, redeem, refresh, sign_in, text};
use super::{ask, is_error, verified_as};
use crate::client::Shop;

const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// A client's back-channel logout, which keeps the tokens that it gets.
#[derive(Clone, Default)]
struct Listener(Arc<Mutex<Vec<String>>>);

impl Listener {
    async fn start(&self) -> Uri {
        let hear = async |State(Self(heard)): State<Self>, form: String| {
            let token = form.strip_prefix("logout_token=").unwrap().to_owned();
            heard.lock().unwrap().push(token);
        };
        let app = Router::new().route("/logout", post(hear)).with_state(self.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let uri = format!("http://{}/logout", listener.local_addr().unwrap());
        #[expect(clippy::disallowed_methods, reason = "a fake needs no limits")]
        tokio::spawn(axum::serve(listener, app).into_future());
        uri.parse().unwrap()
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

async fn shop_with(listener: &Listener) -> Shop {
    let uri = listener.start().await;
    // Nobody listens on port 1: who cannot be told keeps nobody else from it.
    Shop::with(|options| options.backchannel_logout_uri = vec!["http://127.0.0.1:1/".parse().unwrap(), uri])
        .await
}

#[tokio::test]
async fn a_session_ends_for_the_browser_the_tokens_and_the_clients() {
    let listener = Listener::default();
    let shop = shop_with(&listener).await;
    let (code, cookie) = sign_in(&shop, "u_42").await;
    let answer = redeem(&shop, &code).await.json();
    let id = verified_as("JWT", &shop, text(&answer, "id_token"), "web-bff").await;
    let (_, other) = sign_in(&shop, "u_42").await;

    let path = "/end-session?client_id=web-bff&post_logout_redirect_uri=https%3A%2F%2Fshop.example%2Fbye%3Fa%3D1&state=x%26y";
    let ended = shop.get(Identity, path).header("cookie", &cookie).send().await;
    assert_eq!(
        (ended.status.as_u16(), &ended.headers["location"]),
        (303, &"https://shop.example/bye?a=1&state=x%26y".parse().unwrap())
    );
    assert!(ended.headers["set-cookie"].to_str().unwrap().contains("Max-Age=0"));

    let told = listener.take();
    let token = verified_as("logout+jwt", &shop, &told[0], "web-bff").await;
    assert_eq!((&token["sub"], &token["sid"], told.len()), (&json!("u_42"), &id["sid"], 1));
    assert_eq!(token["events"], json!({EVENT: {}}));
    assert!(token["jti"].is_string() && token["nonce"].is_null());

    is_error(&refresh(&shop, text(&answer, "refresh_token")).await, 400, "invalid_grant");
    for (cookie, error) in [(&cookie, Some("login_required")), (&other, None)] {
        let silent =
            shop.get(Identity, &authorize(&[("prompt", "none")])).header("cookie", cookie).send().await;
        assert_eq!(parameter(&came_back(&silent).0, "error").as_deref(), error);
    }
}

#[tokio::test]
async fn signing_out_leads_nowhere_that_signing_in_could_not() {
    let listener = Listener::default();
    let shop = shop_with(&listener).await;
    let (_, cookie) = sign_in(&shop, "u_42").await;
    for path in [
        "/end-session?client_id=web-bff&post_logout_redirect_uri=https://evil.example/",
        "/end-session?client_id=web-bff&post_logout_redirect_uri=http://shop.example/",
        "/end-session?client_id=web-bff&post_logout_redirect_uri=javascript:alert(1)",
        "/end-session?client_id=web-bff&post_logout_redirect_uri=data:,x",
        "/end-session?client_id=web-bff&post_logout_redirect_uri=/",
        "/end-session?client_id=umbrella&post_logout_redirect_uri=https://shop.example/",
        "/end-session?post_logout_redirect_uri=https://shop.example/",
    ] {
        let refused = shop.get(Identity, path).header("cookie", &cookie).send().await;
        assert_eq!(refused.status, 400, "{path}");
        assert!(!refused.headers.contains_key("location") && !refused.headers.contains_key("set-cookie"));
    }
    assert_eq!(listener.take(), [""; 0]);
    let plain = shop.post(Identity, "/end-session").header("cookie", &cookie).form("").send().await;
    assert_eq!((plain.status.as_u16(), listener.take().len()), (200, 1));
    // Who is not signed in is signed out too, and nobody needs to know.
    assert_eq!(shop.get(Identity, "/end-session").send().await.status, 200);
    assert_eq!(listener.take(), [""; 0]);
}

#[tokio::test]
async fn an_administrator_ends_all_sessions_of_a_user() {
    let listener = Listener::default();
    let shop = shop_with(&listener).await;
    let mut refresh_tokens = vec![];
    for user in ["u_42", "u_42", "u_7"] {
        let (code, _) = sign_in(&shop, user).await;
        refresh_tokens.push(text(&redeem(&shop, &code).await.json(), "refresh_token").to_owned());
    }
    let out = async |body| shop.post(Identity, "/_sign-out").json(&body).send().await;
    let told = out(json!({"userId": "u_42"})).await.json();
    assert_eq!((&told["sessions"], told["told"].as_array().unwrap().len()), (&json!(2), 4));
    assert_eq!(told["told"][1]["outcome"], "200");
    assert_eq!(listener.take().len(), 2);
    is_error(&refresh(&shop, &refresh_tokens[0]).await, 400, "invalid_grant");
    is_error(&refresh(&shop, &refresh_tokens[1]).await, 400, "invalid_grant");
    assert_eq!(refresh(&shop, &refresh_tokens[2]).await.status, 200);

    // The clients may know more than the provider remembers.
    assert_eq!(out(json!({"userId": "u_42"})).await.json()["sessions"], 0);
    let of_user = verified_as("logout+jwt", &shop, &listener.take()[0], "web-bff").await;
    assert_eq!((&of_user["sub"], &of_user["sid"]), (&json!("u_42"), &json!(null)));
    out(json!({"userId": "acct_acme"})).await.is_problem(400, "invalid");
}

#[tokio::test]
async fn what_is_revoked_is_neither_refreshed_nor_exchanged() {
    let shop = Shop::open().await;
    let revoke = async |client: &str, token: &str| {
        let secret = format!("demo-secret-of-{client}");
        ask(&shop, "/revoke", &[("client_id", client), ("client_secret", &secret), ("token", token)]).await
    };
    let (code, _) = sign_in(&shop, "u_42").await;
    let answer = redeem(&shop, &code).await.json();
    let (access, refresh_token) = (text(&answer, "access_token"), text(&answer, "refresh_token"));
    for token in [access, refresh_token] {
        is_error(&revoke("mobile-bff", token).await, 400, "unauthorized_client");
    }
    assert_eq!(super::exchange::exchange(&shop, access, "orders").await.status, 200);
    assert_eq!(revoke("web-bff", access).await.status, 200);
    is_error(&super::exchange::exchange(&shop, access, "orders").await, 400, "invalid_request");
    let next = refresh(&shop, refresh_token).await.json();
    assert_eq!(revoke("web-bff", text(&next, "refresh_token")).await.status, 200);
    is_error(&refresh(&shop, text(&next, "refresh_token")).await, 400, "invalid_grant");
    is_error(
        &super::exchange::exchange(&shop, text(&next, "access_token"), "orders").await,
        400,
        "invalid_request",
    );
    assert_eq!(revoke("web-bff", "never heard of").await.status, 200);
    is_error(&ask(&shop, "/revoke", &[("token", "x")]).await, 401, "invalid_client");
}
