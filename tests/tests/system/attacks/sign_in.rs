//! What can be done to a sign-in on its way.

use end_to_end::{Kind, System, WEB_ORIGIN, location};

use super::browser::Browser;
use super::{doors, session_of};

#[tokio::test]
async fn code_injection_mix_up_and_replay() {
    let system = System::start().await;
    for (door, web) in doors(&system, Kind::Web) {
        let (mut ada, mut eve) = (Browser::new(&web), Browser::new(&web));
        let adas = Browser::consent(&system.shop, &ada.begin().await, "u_42").await;
        let eves = Browser::consent(&system.shop, &eve.begin().await, "u_43").await;
        for (what, callback) in [
            ("another browser's sign-in", eves.clone()),
            ("another one's code", with(&adas, "code", &value(&eves, "code"))),
            ("another one's state", with(&adas, "state", &value(&eves, "state"))),
            ("no state", without(&adas, "state")),
            ("no code", without(&adas, "code")),
            ("another provider", with(&adas, "iss", "https%3A%2F%2Fevil.test")),
            ("no provider, where it always says its name", without(&adas, "iss")),
            ("an error and a code", format!("{adas}&error=access_denied")),
            ("two codes", format!("{adas}&code=x")),
        ] {
            let answer = ada.copy().visit(&callback).await;
            assert_eq!(session_of(&answer), None, "{what} {door}: {answer:?}");
            assert!(answer.status.is_client_error() || answer.status == 303, "{what} {door}: {answer:?}");
        }
        // What was tried may have used an attempt up; a new one works, and works once.
        let callback = Browser::consent(&system.shop, &ada.begin().await, "u_42").await;
        let before = ada.copy();
        assert!(session_of(&ada.visit(&callback).await).is_some(), "a sign-in fails {door}");
        let again = before.copy().visit(&callback).await;
        assert_eq!(session_of(&again), None, "a sign-in is repeated {door}: {again:?}");
    }
    two_tabs_and_no_more_than_five(&system).await;
}

async fn two_tabs_and_no_more_than_five(system: &System) {
    let mut browser = Browser::new(&system.edge(Kind::Web));
    let mut begun = vec![];
    for _ in 0..7 {
        begun.push(browser.begin().await);
    }
    assert_eq!(browser.attempts(), 5);
    let oldest = Browser::consent(&system.shop, &begun[0], "u_42").await;
    assert_eq!(session_of(&browser.visit(&oldest).await), None);
    for authorization in [&begun[4], &begun[6]] {
        let callback = Browser::consent(&system.shop, authorization, "u_42").await;
        assert!(session_of(&browser.visit(&callback).await).is_some(), "a tab is lost");
    }
}

#[tokio::test]
async fn open_redirect_in_return_to() {
    let system = System::start().await;
    for bad in [
        "//evil.test",
        "/%5Cevil.test",
        "/\\evil.test",
        "%2f%2fevil.test",
        "/%2fevil.test",
        "/%252fevil.test",
        "https://evil.test/",
        "https:evil.test",
        "javascript:alert(1)",
        "evil.test",
        "/%0d%0aSet-Cookie:a=b",
        "/%09/evil.test",
        "/%00",
        "%20//evil.test",
        "/.%2f/evil.test",
        "/web/auth/logout%0a",
        "",
    ] {
        let answer =
            Browser::new(&system.edge(Kind::Web)).visit(&format!("/auth/login?returnTo={bad}")).await;
        if answer.status == 303 {
            // Whatever it was taken for, it leads nowhere else.
            let ended = finish(&system, bad).await;
            assert!(ended.starts_with(&format!("{WEB_ORIGIN}/")), "{bad} leads to {ended}");
            let path = &ended[WEB_ORIGIN.len()..];
            assert!(!path.starts_with("//") && !path.contains('\\'), "{bad} leads to {ended}");
        } else {
            assert_eq!(answer.outcome(), "400 invalid-request", "{bad}");
        }
    }
    for (good, place) in [("/", "/"), ("/orders/o_1", "/orders/o_1"), ("/%3Fpage%3D2", "/?page=2")] {
        assert_eq!(finish(&system, good).await, format!("{WEB_ORIGIN}{place}"), "{good}");
    }
}

/// Where a sign-in ends that was begun with this `returnTo`.
async fn finish(system: &System, return_to: &str) -> String {
    let mut browser = Browser::new(&system.edge(Kind::Web));
    let begun = browser.visit(&format!("/auth/login?returnTo={return_to}")).await;
    let callback = Browser::consent(&system.shop, &location(&begun), "u_42").await;
    location(&browser.visit(&callback).await)
}

/// A value of a query, as it is written there.
fn value(url: &str, name: &str) -> String {
    let (_, query) = url.split_once('?').expect("a query");
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find(|(known, _)| *known == name).unwrap_or_else(|| panic!("no {name} in {url}")).1.to_owned()
}

fn without(url: &str, name: &str) -> String {
    let (path, query) = url.split_once('?').expect("a query");
    let pairs: Vec<_> = query.split('&').filter(|pair| !pair.starts_with(&format!("{name}="))).collect();
    format!("{path}?{}", pairs.join("&"))
}

fn with(url: &str, name: &str, value: &str) -> String {
    format!("{}&{name}={value}", without(url, name))
}
