//! What can be done with a cookie, to it, and in its name.

use end_to_end::{Kind, System, WEB_ORIGIN};
use futures::future::join_all;
use http::header::SET_COOKIE;
use serde_json::json;

use super::browser::Browser;
use super::{SESSION, doors, session_of};
use crate::routes::ROUTES;
use crate::samples::Samples;

const PLAIN: [(&str, &str); 2] = [("x-csrf", "1"), ("origin", WEB_ORIGIN)];

#[tokio::test]
async fn token_theft_by_script() {
    let system = System::start().await;
    let mut browser = Browser::new(&system.edge(Kind::Web));
    let begun = browser.visit("/auth/login").await;
    let attempt = begun.headers[SET_COOKIE].to_str().expect("text").to_owned();
    assert!(attempt.starts_with("__Host-Http-triptych-login-"), "{attempt}");
    let ended = browser.sign_in(&system.shop, "u_42").await;
    let lines = ended.headers.get_all(SET_COOKIE).iter().map(|line| line.to_str().expect("text"));
    let session = lines.into_iter().find(|line| line.starts_with(&format!("{SESSION}="))).expect("a session");
    for (cookie, same_site) in [(&*attempt, "SameSite=Lax"), (session, "SameSite=Strict")] {
        let attributes: Vec<_> = cookie.split("; ").skip(1).collect();
        for wanted in ["Secure", "HttpOnly", "Path=/", same_site] {
            assert!(attributes.contains(&wanted), "{cookie} lacks {wanted}");
        }
        assert!(!cookie.contains("Domain"), "{cookie}");
    }
    let id = browser.cookie(SESSION).expect("a session").to_owned();
    let samples = Samples::find(&system).await;
    let web = system.frontend(Kind::Web);
    let mut answers = vec![browser.visit("/auth/session").await];
    for route in ROUTES.iter().filter(|route| route.kind == Kind::Web) {
        answers.push(route.ask(&web, &samples).await);
    }
    answers.push(browser.send("POST", "/auth/logout", &PLAIN).await);
    for answer in answers {
        let whole = format!("{:?} {}", answer.headers, String::from_utf8_lossy(&answer.body));
        for secret in ["eyJ", &*id, "access_token", "refresh_token", "id_token"] {
            assert!(!whole.contains(secret), "{secret} is in {whole}");
        }
    }
}

/// What browsers say of a request, and whether it may change something.
const ORIGINS: &[(&[(&str, &str)], bool)] = &[
    (&[], false),
    (&[("x-csrf", "1")], false),
    (&[("origin", WEB_ORIGIN)], false),
    (&[("x-csrf", "0"), ("origin", WEB_ORIGIN)], false),
    (&[("x-csrf", "1"), ("origin", "null")], false),
    (&[("x-csrf", "1"), ("origin", "http://shop.example")], false),
    (&[("x-csrf", "1"), ("origin", "https://shop.example.evil.test")], false),
    (&[("x-csrf", "1"), ("origin", "https://evil.test/https://shop.example")], false),
    (&[("x-csrf", "1"), ("sec-fetch-site", "cross-site")], false),
    (&[("x-csrf", "1"), ("sec-fetch-site", "same-site")], false),
    (&[("x-csrf", "1"), ("sec-fetch-site", "none")], false),
    (&[("x-csrf", "1"), ("origin", WEB_ORIGIN), ("sec-fetch-site", "cross-site")], false),
    (&[("sec-fetch-site", "same-origin")], false),
    (&[("x-csrf", "1"), ("sec-fetch-site", "same-origin")], true),
    (&[("x-csrf", "1"), ("origin", WEB_ORIGIN)], true),
];

#[tokio::test]
async fn csrf_login_csrf_logout_csrf() {
    let system = System::start().await;
    let samples = Samples::find(&system).await;
    let cancel = samples.fill(Kind::Web, "/orders/{shipped}/cancel");
    for (door, web) in doors(&system, Kind::Web) {
        let mut browser = Browser::new(&web);
        browser.sign_in(&system.shop, "u_42").await;
        for (headers, may) in ORIGINS {
            system.shop.forget_calls().await;
            let outcome = browser.send("POST", &cancel, headers).await.outcome();
            let (expected, calls) =
                if *may { ("409 order-not-cancellable", 1) } else { ("403 cross-site", 0) };
            assert_eq!((&*outcome, system.shop.calls().await.len()), (expected, calls), "{headers:?} {door}");
            if !may {
                let outcome = browser.send("POST", "/auth/logout", headers).await.outcome();
                assert_eq!(outcome, "403 cross-site", "logout with {headers:?} {door}");
                // A form of another site's comes without the cookie, and must not have it removed.
                let answer = Browser::new(&web).send("POST", "/auth/logout", headers).await;
                assert_eq!(answer.outcome(), "403 cross-site", "logout of nobody with {headers:?} {door}");
                assert!(!answer.headers.contains_key(SET_COOKIE));
            }
        }
        for (site, expected) in
            [("cross-site", "403 cross-site"), ("same-site", "200"), ("same-origin", "200"), ("none", "200")]
        {
            let answer = browser.send("GET", "/orders", &[("sec-fetch-site", site)]).await;
            assert_eq!(answer.outcome(), expected, "a read that is {site} {door}");
        }
        assert_eq!(browser.visit("/auth/session").await.json()["authenticated"], json!(true), "{door}");
        nobody_is_signed_in_as_another(&system, &mut Browser::new(&web)).await;
    }
}

/// Somebody has a victim's browser finish a sign-in that the victim did not begin.
async fn nobody_is_signed_in_as_another(system: &System, victim: &mut Browser) {
    let mut attacker = Browser::new(&system.edge(Kind::Web));
    let callback = Browser::consent(&system.shop, &attacker.begin().await, "u_43").await;
    for _ in 0..2 {
        let answer = victim.visit(&callback).await;
        assert_eq!(session_of(&answer), None, "{answer:?}");
        // Neither without an attempt of its own nor with one.
        victim.begin().await;
    }
}

#[tokio::test]
async fn session_fixation_and_resurrection() {
    let system = System::start().await;
    let mut browser = Browser::new(&system.edge(Kind::Web));
    let planted = "A".repeat(43);
    browser.plant(SESSION, &planted);
    browser.sign_in(&system.shop, "u_42").await;
    let first = browser.cookie(SESSION).expect("a session").to_owned();
    assert_ne!(first, planted, "a planted id is taken over");

    let mut thief = browser.copy();
    browser.sign_in(&system.shop, "u_42").await;
    assert_ne!(browser.cookie(SESSION).expect("a session"), first, "a sign-in keeps the id");
    assert_eq!(thief.visit("/orders").await.outcome(), "401 unauthenticated", "the old id lives on");

    for _ in 0..5 {
        logout_races_a_hundred_requests(&system).await;
    }
}

async fn logout_races_a_hundred_requests(system: &System) {
    let mut browser = Browser::new(&system.edge(Kind::Web));
    browser.sign_in(&system.shop, "u_42").await;
    let mut leaving = browser.copy();
    let (during, left) = tokio::join!(in_tabs(&browser, 100), leaving.send("POST", "/auth/logout", &PLAIN));
    assert_eq!(left.outcome(), "200");
    let known = |outcome: &String| ["200", "401 unauthenticated"].contains(&&**outcome);
    assert!(during.iter().all(known), "{during:?}");
    for outcome in in_tabs(&browser, 20).await {
        assert_eq!(outcome, "401 unauthenticated", "a session outlives its logout");
    }
    assert_eq!(browser.visit("/auth/session").await.json(), json!({"authenticated": false}));
}

/// What so many tabs are answered that ask at once.
async fn in_tabs(browser: &Browser, tabs: usize) -> Vec<String> {
    let ask = |mut tab: Browser| async move { tab.visit("/orders").await.outcome() };
    join_all((0..tabs).map(|_| ask(browser.copy()))).await
}
