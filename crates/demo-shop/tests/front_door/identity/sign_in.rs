use std::time::Duration;

use demo_shop::Service::{Identity, Orders};
use serde_json::{Value, json};
use url::Url;

use super::{ask, is_error, token, verified, verified_as};
use crate::client::{Answer, Shop};

pub(super) const BACK: &str = "https://shop.example/web/auth/callback";
/// RFC 7636, appendix B.
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// `/authorize` as a client asks it, with changes: an empty value leaves the parameter out.
pub(super) fn authorize(changes: &[(&str, &str)]) -> String {
    let mut parameters = vec![
        ("client_id", "web-bff"),
        ("redirect_uri", BACK),
        ("response_type", "code"),
        ("scope", "openid profile orders:read"),
        ("state", "s&1"),
        ("nonce", "n-1"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    for (name, value) in changes {
        parameters.retain(|(known, _)| known != name);
        parameters.push((name, value));
    }
    Url::parse_with_params("http://x/authorize", parameters).unwrap()[url::Position::BeforePath..].to_owned()
}

/// What comes back to the client, and the cookie that the provider set.
pub(super) fn came_back(answer: &Answer) -> (Url, Option<String>) {
    assert_eq!(answer.status, 303, "{answer:?}");
    let location = answer.headers["location"].to_str().unwrap();
    assert!(location.starts_with(&format!("{BACK}?")), "{location}");
    let cookie = answer.headers.get("set-cookie").map(|cookie| cookie.to_str().unwrap().to_owned());
    (location.parse().unwrap(), cookie)
}

pub(super) fn parameter(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(found, _)| found == name).map(|(_, value)| value.into_owned())
}

/// Signs a user in as a script does; the code and the provider's cookie.
pub(super) async fn sign_in(shop: &Shop, user: &str) -> (String, String) {
    let chosen = shop.post(Identity, &authorize(&[])).form(&format!("user_id={user}")).send().await;
    let (back, cookie) = came_back(&chosen);
    let cookie = cookie.unwrap().split(';').next().unwrap().to_owned();
    (parameter(&back, "code").unwrap(), cookie)
}

pub(super) async fn redeem(shop: &Shop, code: &str) -> Answer {
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", BACK),
        ("code_verifier", VERIFIER),
    ];
    token(shop, &form).await
}

pub(super) async fn refresh(shop: &Shop, refresh_token: &str) -> Answer {
    token(shop, &[("grant_type", "refresh_token"), ("refresh_token", refresh_token)]).await
}

pub(super) fn text<'a>(answer: &'a Value, name: &str) -> &'a str {
    answer[name].as_str().unwrap_or_else(|| panic!("no {name}: {answer}"))
}

#[tokio::test]
async fn one_signs_in_by_a_page_and_the_client_gets_what_was_granted() {
    let shop = Shop::open().await;
    let page = shop.get(Identity, &authorize(&[])).send().await;
    assert_eq!(page.status, 200);
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
    let html = String::from_utf8(page.body.to_vec()).unwrap();
    for part in
        ["for development only", "Ada Lovelace", "value=\"u_42\"", "name=user_id", "width=device-width"]
    {
        assert!(html.contains(part), "{part}: {html}");
    }
    assert!(!html.contains("<script"));

    let chosen = shop.post(Identity, &authorize(&[])).form("user_id=u_42").send().await;
    let (back, cookie) = came_back(&chosen);
    assert!(cookie.unwrap().ends_with("; Path=/; HttpOnly; SameSite=Lax"));
    assert_eq!(parameter(&back, "state").as_deref(), Some("s&1"));
    assert_eq!(parameter(&back, "iss").as_deref(), Some("http://127.0.0.1:3007"));

    let answer = redeem(&shop, &parameter(&back, "code").unwrap()).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.headers["cache-control"]),
        (200, &"no-store".parse().unwrap())
    );
    let answer = answer.json();
    assert_eq!((&answer["token_type"], &answer["expires_in"]), (&json!("Bearer"), &json!(3600)));
    let access = verified(&shop, text(&answer, "access_token"), "web-bff").await;
    assert_eq!((&access["sub"], &access["aud"]), (&json!("u_42"), &json!(["web-bff"])));
    assert_eq!(access["scope"], "openid profile orders:read");
    let id = verified_as("JWT", &shop, text(&answer, "id_token"), "web-bff").await;
    assert_eq!((&id["sub"], &id["aud"], &id["nonce"]), (&json!("u_42"), &json!("web-bff"), &json!("n-1")));
    assert_eq!(id["name"], "Ada Lovelace");
    assert!(id["sid"].is_string() && id["auth_time"].is_i64() && id["at_hash"].is_string());
    // The token is for the BFF alone, so a domain service does not take it.
    let orders = shop.get(Orders, "/orders?userId=u_42").bearer(text(&answer, "access_token"));
    orders.send().await.is_problem(401, "unauthenticated");
}

#[tokio::test]
async fn for_bffs_that_pass_tokens_through_they_are_for_everyone() {
    let shop = Shop::with(|options| options.pass_through = true).await;
    let (code, _) = sign_in(&shop, "u_42").await;
    let answer = redeem(&shop, &code).await.json();
    let orders = shop.get(Orders, "/orders?userId=u_42").bearer(text(&answer, "access_token"));
    assert_eq!(orders.send().await.status, 200);
    assert_eq!(verified(&shop, text(&answer, "access_token"), "web-bff").await["sub"], "u_42");
}

#[tokio::test]
async fn an_unknown_client_or_address_is_an_error_page_and_never_a_redirect() {
    let shop = Shop::open().await;
    for changes in [
        &[("client_id", "")][..],
        &[("client_id", "umbrella")],
        &[("client_id", "mobile-bff")],
        &[("redirect_uri", "")],
        &[("redirect_uri", "https://shop.example/web/auth/callback/")],
        &[("redirect_uri", "https://shop.example/web/auth/callback?x=1")],
        &[("redirect_uri", "https://evil.example/<script>alert(1)</script>")],
    ] {
        for posted in [false, true] {
            let path = authorize(changes);
            let call = if posted {
                shop.post(Identity, &path).form("user_id=u_42")
            } else {
                shop.get(Identity, &path)
            };
            let answer = call.send().await;
            assert_eq!(answer.status, 400, "{changes:?}");
            assert!(!answer.headers.contains_key("location") && !answer.headers.contains_key("set-cookie"));
            assert!(!String::from_utf8_lossy(&answer.body).contains("<script"));
        }
    }
    let twice = format!("{}&client_id=web-bff", authorize(&[]));
    assert_eq!(shop.get(Identity, &twice).send().await.status, 400);
}

#[tokio::test]
async fn what_else_is_wrong_the_client_learns() {
    let shop = Shop::open().await;
    for (changes, error) in [
        (&[("response_type", "token")][..], "unsupported_response_type"),
        (&[("response_mode", "fragment")], "invalid_request"),
        (&[("state", "")], "invalid_request"),
        (&[("nonce", "")], "invalid_request"),
        (&[("code_challenge", "")], "invalid_request"),
        (&[("code_challenge", "short")], "invalid_request"),
        (&[("code_challenge_method", "")], "invalid_request"),
        (&[("code_challenge_method", "plain")], "invalid_request"),
        (&[("scope", "profile")], "invalid_scope"),
        (&[("request", "e30.e30.")], "request_not_supported"),
        (&[("prompt", "none")], "login_required"),
    ] {
        let (back, cookie) = came_back(&shop.get(Identity, &authorize(changes)).send().await);
        assert_eq!(parameter(&back, "error").as_deref(), Some(error), "{changes:?}");
        assert_eq!(parameter(&back, "iss").as_deref(), Some("http://127.0.0.1:3007"));
        assert_eq!((parameter(&back, "code"), cookie), (None, None));
        let state = (changes[0].0 != "state").then_some("s&1");
        assert_eq!(parameter(&back, "state").as_deref(), state);
    }
    let nobody = shop.post(Identity, &authorize(&[])).form("user_id=%3Cb%3Eu_0").send().await;
    assert_eq!(nobody.status, 400);
    assert!(String::from_utf8_lossy(&nobody.body).contains("&lt;b&gt;u_0"));
}

#[tokio::test]
async fn who_is_signed_in_is_not_asked_again() {
    let shop = Shop::open().await;
    let (code, cookie) = sign_in(&shop, "u_7").await;
    let of = async |code: &str| {
        let id_token = redeem(&shop, code).await.json();
        verified_as("JWT", &shop, text(&id_token, "id_token"), "web-bff").await
    };
    let first = of(&code).await;
    for prompt in ["", "none"] {
        let again =
            shop.get(Identity, &authorize(&[("prompt", prompt)])).header("cookie", &cookie).send().await;
        let again = of(&parameter(&came_back(&again).0, "code").unwrap()).await;
        assert_eq!((&again["sub"], &again["sid"]), (&json!("u_7"), &first["sid"]));
    }
    for asks in [("prompt", "login"), ("prompt", "select_account"), ("max_age", "0")] {
        let page = shop.get(Identity, &authorize(&[asks])).header("cookie", &cookie).send().await;
        assert_eq!(page.status, 200, "{asks:?}");
    }
    let other =
        shop.post(Identity, &authorize(&[])).header("cookie", &cookie).form("user_id=u_42").send().await;
    let (back, _) = came_back(&other);
    let other = of(&parameter(&back, "code").unwrap()).await;
    assert_eq!(other["sub"], "u_42");
    assert_ne!(other["sid"], first["sid"], "two people in one session");
    let old = shop.get(Identity, &authorize(&[("prompt", "none")])).header("cookie", &cookie).send().await;
    assert_eq!(parameter(&came_back(&old).0, "error").as_deref(), Some("login_required"));
}

#[tokio::test]
async fn a_code_that_comes_back_revokes_what_it_gave() {
    let shop = Shop::open().await;
    let (code, _) = sign_in(&shop, "u_42").await;
    let answer = redeem(&shop, &code).await.json();
    is_error(&redeem(&shop, &code).await, 400, "invalid_grant");
    is_error(&refresh(&shop, text(&answer, "refresh_token")).await, 400, "invalid_grant");
    let exchanged = super::exchange::exchange(&shop, text(&answer, "access_token"), "orders").await;
    is_error(&exchanged, 400, "invalid_request");
}

#[tokio::test]
async fn a_code_is_for_its_client_address_verifier_and_minute() {
    let shop = Shop::open().await;
    let verifier = "x".repeat(43);
    for (name, value) in
        [("client_id", "mobile-bff"), ("redirect_uri", "https://shop.example/"), ("code_verifier", &verifier)]
    {
        let (code, _) = sign_in(&shop, "u_42").await;
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", BACK),
            ("code_verifier", VERIFIER),
            ("client_id", "web-bff"),
        ];
        form.retain(|(known, _)| *known != name);
        form.push((name, value));
        let secret =
            if value == "mobile-bff" { "demo-secret-of-mobile-bff" } else { "demo-secret-of-web-bff" };
        form.push(("client_secret", secret));
        is_error(&ask(&shop, "/token", &form).await, 400, "invalid_grant");
    }
    let (code, _) = sign_in(&shop, "u_42").await;
    tokio::time::pause();
    tokio::time::advance(Duration::from_mins(1)).await;
    tokio::time::resume();
    is_error(&redeem(&shop, &code).await, 400, "invalid_grant");
}

#[tokio::test]
async fn refresh_tokens_rotate_and_a_reused_one_ends_them_all() {
    let shop = Shop::with(|options| options.token_lifetime = Duration::from_secs(5)).await;
    let (code, _) = sign_in(&shop, "u_42").await;
    let first = redeem(&shop, &code).await.json();
    let second = refresh(&shop, text(&first, "refresh_token")).await.json();
    assert_ne!(first["refresh_token"], second["refresh_token"]);
    assert_eq!((&second["expires_in"], &second["scope"]), (&json!(5), &json!("openid profile orders:read")));
    let id = |answer: &Value| text(answer, "id_token").to_owned();
    let before = verified_as("JWT", &shop, &id(&first), "web-bff").await;
    let after = verified_as("JWT", &shop, &id(&second), "web-bff").await;
    assert_eq!((&after["sid"], &after["auth_time"]), (&before["sid"], &before["auth_time"]));

    let current = text(&second, "refresh_token");
    let with_scope = async |scope: &str| {
        token(&shop, &[("grant_type", "refresh_token"), ("refresh_token", current), ("scope", scope)]).await
    };
    is_error(&with_scope("openid admin").await, 400, "invalid_scope");
    let third = with_scope("openid").await.json();
    assert_eq!(third["scope"], "openid");
    is_error(&refresh(&shop, text(&first, "refresh_token")).await, 400, "invalid_grant");
    is_error(&refresh(&shop, text(&third, "refresh_token")).await, 400, "invalid_grant");
}
