//! `/auth/*`: signing in and out.

use http::Method;
use http::header::SET_COOKIE;
use serde_json::{Value, json};
use service_runtime::Telemetry;
use test_support::{Answer, Browser, FakeBackend, Reply, Served};
use web_bff::{AppState, app};

use crate::Bff;

/// What stays the same from run to run.
fn page(answer: &Answer) -> String {
    let page = String::from_utf8_lossy(&answer.body);
    let (head, rest) = page.split_once("<style>").expect("a style sheet");
    let (_, rest) = rest.split_once("</style>").expect("its end");
    format!("{} {}\n{head}…{rest}", answer.status.as_u16(), answer.header("content-type"))
}

fn new_browser(bff: &Bff) -> Browser {
    Browser::new(&bff.served.url)
}

#[tokio::test]
async fn a_person_signs_in_is_known_and_signs_out() {
    let bff = Bff::start().await;
    let mut browser = new_browser(&bff).with("x-csrf", "1").with("sec-fetch-site", "same-origin");
    assert_eq!(browser.get("/auth/session").await.json(), json!({"authenticated": false}));
    assert_eq!(browser.get("/orders").await.status, 401);

    let sent = browser.get("/auth/login?returnTo=%2Forders%3Fcursor%3Dc1").await;
    assert_eq!((sent.status.as_u16(), sent.header("cache-control")), (303, "no-store"));
    let provider = format!("{}/authorize?response_type=code&", bff.backend.identity.url);
    assert!(sent.header("location").starts_with(&provider), "{sent:?}");
    let arrived = browser.get(&bff.backend.sign_in(&sent, "u_7", &json!({}))).await;
    assert_eq!(arrived.status, 303);
    assert_eq!(arrived.header("location"), "http://127.0.0.1:8080/orders?cursor=c1");
    assert_eq!(browser.cookies.keys().collect::<Vec<_>>(), ["triptych-dev"]);

    let mut session = browser.get("/auth/session").await.json();
    assert!(session["expiresAt"].take().as_str().unwrap().ends_with('Z'));
    assert_eq!(
        session,
        json!({
            "authenticated": true, "user": {"id": "u_7", "name": "Ada Lovelace"}, "expiresAt": null, "endsSoon": false,
        })
    );
    bff.backend.services.on("GET /orders", Reply::Json(json!({"items": [], "nextCursor": null})));
    assert_eq!(browser.get("/orders").await.status, 200);

    let before = browser.clone();
    let gone = browser.send(Method::POST, "/auth/logout", None).await;
    assert_eq!(gone.status, 200);
    let end = format!("{}/end-session?client_id=web-bff&post_logout_redirect_uri=", bff.backend.identity.url);
    assert!(gone.json()["redirectTo"].as_str().unwrap().starts_with(&end), "{gone:?}");
    assert_eq!(gone.json().as_object().unwrap().len(), 1);
    assert!(browser.cookies.is_empty());
    for mut browser in [browser, before] {
        assert_eq!(browser.get("/auth/session").await.json(), json!({"authenticated": false}));
        assert_eq!(browser.get("/orders").await.status, 401);
    }
}

#[tokio::test]
async fn no_answer_is_kept_and_none_shows_a_token() {
    let bff = Bff::start().await;
    let mut browser = new_browser(&bff).with("x-csrf", "1").with("sec-fetch-site", "same-origin");
    let sent = browser.get("/auth/login").await;
    let back = bff.backend.sign_in(&sent, "u_7", &json!({"refresh_token": "refresh-token-xyz"}));
    let mut answers = vec![sent, browser.get(&back).await];
    answers.push(browser.get("/auth/session").await);
    answers.push(browser.get("/auth/login?returnTo=//e.example").await);
    answers.push(browser.get("/auth/callback").await);
    answers.push(browser.send(Method::POST, "/auth/backchannel-logout", None).await);
    answers.push(browser.send(Method::POST, "/auth/logout", None).await);
    answers.push(new_browser(&bff).get("/auth/callback").await);
    answers.push(new_browser(&bff).get("/auth/session").await);
    answers.push(new_browser(&bff).send(Method::HEAD, "/auth/login", None).await);
    for answer in answers {
        assert_eq!(answer.header("cache-control"), "no-store", "{answer:?}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{answer:?}");
        let text = format!("{answer:?}{}", String::from_utf8_lossy(&answer.body));
        assert!(!text.contains("refresh-token-xyz") && !text.contains("eyJ"), "{text}");
    }
}

#[tokio::test]
async fn looking_ahead_changes_nothing() {
    let bff = Bff::start().await;
    let mut browser = new_browser(&bff);
    let sent = browser.get("/auth/login").await;
    let back = bff.backend.sign_in(&sent, "u_7", &json!({}));
    let asked = bff.backend.identity.seen().len();
    for path in ["/auth/login", &back] {
        let mut prefetching = browser.clone().with("sec-purpose", "prefetch;prerender");
        let mut old = browser.clone().with("purpose", "prefetch");
        for answer in [
            prefetching.get(path).await,
            old.get(path).await,
            browser.clone().send(Method::HEAD, path, None).await,
        ] {
            assert_eq!(answer.status, 204, "{path}");
            assert!(answer.headers.get(SET_COOKIE).is_none(), "{path}");
        }
    }
    assert_eq!(bff.backend.identity.seen().len(), asked);
    assert_eq!(browser.get(&back).await.status, 303);
}

#[tokio::test]
async fn only_a_path_of_ours_is_returned_to() {
    let bff = Bff::start().await;
    for bad in
        ["//e.example", "/%5Ce.example", "%252f%252fe.example", "javascript:alert(1)", "%2F%09%2Fe", "a"]
    {
        let answer = new_browser(&bff).get(&format!("/auth/login?returnTo={bad}")).await;
        assert_eq!(answer.status, 400, "{bad}");
        assert!(answer.headers.get(SET_COOKIE).is_none());
        assert_eq!(
            answer.json()["detail"],
            "returnTo must be a path on this site, such as /orders?status=shipped."
        );
    }
}

#[tokio::test]
async fn blocked_cookies_have_a_page_that_says_so() {
    let bff = Bff::start().await;
    let answer = new_browser(&bff).get("/auth/callback?code=c1&state=s1").await;
    insta::assert_snapshot!(page(&answer), @r#"
    400 text/html; charset=utf-8
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="robots" content="noindex">

    <title>Cookies are blocked</title>
    …
    </head>
    <body>
    <main>
    <h1>Cookies are blocked</h1>
    <p>Your browser sent no cookie back, so we cannot tell that this sign-in is yours. Allow cookies for this site and sign in again. If you began in another browser, finish there.</p>
    <p><a href="http://127.0.0.1:8080/web/auth/login?returnTo=%2F">Sign in again</a></p>
    </main>
    </body>
    </html>
    "#);
    insta::assert_snapshot!(answer.header("content-security-policy"), @"default-src 'none'; style-src 'sha256-ItM/rlDKRIkSTepYtHvgtdgtKsEBCVwx1JiM54iODmA='; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
}

#[tokio::test]
async fn who_comes_back_from_another_site_comes_once_more_with_the_session() {
    let bff = Bff::start().await;
    let answer = new_browser(&bff).with("sec-fetch-site", "cross-site").get("/auth/callback?state=s1").await;
    let refresh = r#"<meta http-equiv="refresh" content="0; url=http://127.0.0.1:8080/web/auth/callback">"#;
    assert!(page(&answer).contains(refresh), "{}", page(&answer));
    let answer = bff.browser.clone().get("/auth/callback").await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "http://127.0.0.1:8080/"));
}

#[tokio::test]
async fn each_trouble_has_its_page() {
    let bff = Bff::start().await;
    let mut pages = vec![];
    for (query, token) in [
        ("error=access_denied", json!({})),
        ("error=invalid_scope", json!({})),
        ("error=temporarily_unavailable", json!({})),
        ("code=c1&iss=http%3A%2F%2Fmallory.example", json!({})),
        ("code=c1", json!({"id_token": "forged"})),
        ("code=c1", json!({"id_token": null})),
    ] {
        let mut browser = new_browser(&bff);
        let sent = browser.get("/auth/login?returnTo=%2Forders%3Fa%3D%22%3E%3Cscript%3E").await;
        let back = bff.backend.sign_in(&sent, "u_7", &token);
        let (_, state) = back.split_once("state=").unwrap();
        let answer = browser.get(&format!("/auth/callback?{query}&state={state}")).await;
        assert!(browser.cookies.is_empty(), "{query}");
        let page = page(&answer);
        let title = page.split("<title>").nth(1).unwrap().split("</title>").next().unwrap();
        let again = page.split("href=\"").nth(1).unwrap().split('"').next().unwrap();
        pages.push(format!("{} {title} | {again}", answer.status.as_u16()));
    }
    insta::assert_snapshot!(pages.join("\n"), @"
    403 You are not signed in | http://127.0.0.1:8080/web/auth/login?returnTo=%2Forders%3Fa%3D%2522%253E%253Cscript%253E
    403 You were not signed in | http://127.0.0.1:8080/web/auth/login?returnTo=%2Forders%3Fa%3D%2522%253E%253Cscript%253E
    503 Signing in does not work right now | http://127.0.0.1:8080/web/auth/login?returnTo=%2Forders%3Fa%3D%2522%253E%253Cscript%253E
    400 This sign-in cannot be trusted | http://127.0.0.1:8080/web/auth/login?returnTo=%2Forders%3Fa%3D%2522%253E%253Cscript%253E
    400 This sign-in cannot be trusted | http://127.0.0.1:8080/web/auth/login?returnTo=%2Forders%3Fa%3D%2522%253E%253Cscript%253E
    503 Signing in does not work right now | http://127.0.0.1:8080/web/auth/login?returnTo=%2Forders%3Fa%3D%2522%253E%253Cscript%253E
    ");
}

#[tokio::test]
async fn an_answer_that_was_used_begins_anew_and_a_second_click_arrives() {
    let bff = Bff::start().await;
    let mut browser = new_browser(&bff);
    let sent = browser.get("/auth/login?returnTo=%2Forders").await;
    let back = bff.backend.sign_in(&sent, "u_7", &json!({}));
    let mut again = browser.clone();
    assert_eq!(browser.get(&back).await.status, 303);
    let answer = again.get(&back).await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("location")),
        (303, "http://127.0.0.1:8080/web/auth/login?returnTo=%2Forders")
    );
    again.cookies = browser.cookies.clone();
    let answer = again.get(&back).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "http://127.0.0.1:8080/"));
}

#[tokio::test]
async fn two_tabs_sign_in_side_by_side() {
    let bff = Bff::start().await;
    let mut browser = new_browser(&bff);
    let first = browser.get("/auth/login?returnTo=%2Ffirst").await;
    let second = browser.get("/auth/login?returnTo=%2Fsecond").await;
    for (sent, path) in [(&first, "/first"), (&second, "/second")] {
        let back = bff.backend.sign_in(sent, "u_7", &json!({}));
        let arrived = browser.get(&back).await;
        assert_eq!(arrived.header("location"), format!("http://127.0.0.1:8080{path}"));
    }
    assert_eq!(browser.get("/auth/session").await.json()["authenticated"], true);
}

#[tokio::test]
async fn the_provider_logs_somebody_out_once() {
    let bff = Bff::start().await;
    let send = async |form: String| {
        let client = bff.anonymous().with("content-type", "application/x-www-form-urlencoded");
        client.send_raw(Method::POST, "/auth/backchannel-logout", form).await.status.as_u16()
    };
    let alive = async || bff.client().get("/auth/session").await.json()["authenticated"] == true;
    let token =
        |changes: Value| format!("logout_token={}", bff.backend.provider.logout_token("u_42", &changes));
    for bad in [
        String::new(),
        "logout_token=".to_owned(),
        "logout_token=a.b.c".to_owned(),
        format!("{0}&{0}", token(json!({}))),
        token(json!({"nonce": "n"})),
        token(json!({"aud": "mobile-bff"})),
        token(json!({"iss": "http://mallory.example"})),
        token(json!({"events": {}})),
        token(json!({"iat": 1_700_000_000})),
        token(json!({"jti": null})),
        token(json!({"sub": null})),
        format!("logout_token={}", bff.backend.provider.id_token("u_42", &json!({}))),
        format!("logout_token={}", bff.backend.provider.token("u_42", &json!({}))),
    ] {
        assert_eq!(send(bad.clone()).await, 400, "{bad}");
    }
    assert!(alive().await);
    let good = token(json!({}));
    assert_eq!(send(good.clone()).await, 200);
    assert!(!alive().await);
    assert_eq!(send(good).await, 400, "a replay");
}

#[tokio::test]
async fn a_provider_that_is_down_is_said_to_be() {
    let bff = Bff::start().await;
    bff.backend.identity.on("POST /token", Reply::Raw(500, vec![], String::new()));
    let mut browser = new_browser(&bff);
    let sent = browser.get("/auth/login").await;
    let back = bff.backend.sign_in(&sent, "u_7", &json!({}));
    bff.backend.identity.on("POST /token", Reply::Raw(500, vec![], String::new()));
    let answer = browser.get(&back).await;
    assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, "5"));
    assert!(page(&answer).contains("<h1>Signing in does not work right now</h1>"));
}

#[tokio::test]
async fn without_a_provider_a_person_is_told_so() {
    let backend = FakeBackend::start().await;
    backend.identity.on("GET /.well-known/openid-configuration", Reply::Problem(503, json!({})));
    let settings = crate::settings(&backend, &[]);
    let state = AppState::new(&settings, &Telemetry::off()).expect("good settings");
    let served = Served::start(app(state, &settings)).await;
    let answer = Browser::new(&served.url).get("/auth/login?returnTo=%2Forders").await;
    let facts = (answer.status.as_u16(), answer.header("retry-after"), answer.header("content-type"));
    assert_eq!(facts, (503, "5", "text/html; charset=utf-8"));
    let page = String::from_utf8_lossy(&answer.body);
    for part in ["Signing in does not work right now", "/web/auth/login?returnTo=%2Forders\""] {
        assert!(page.contains(part), "{page}");
    }
}
