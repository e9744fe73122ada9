//! Sessions as requests meet them.

mod audit;
mod endings;
mod refreshing;
mod replicas;

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use http::header::{COOKIE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::request::Parts;
use problem::{Naming, Problem};
use request_context::{Authenticate, Caller, PublicUrl};
use serde_json::{Value, json};
use store::{SharedStore, Store};
use tokio::time::advance;
use url::Url;

use super::clock::Clock;
use super::fake::{FakeIssuer, REALM, request};
use super::{SessionState, Sessions};
use crate::oidc::{RelyingParty, SignedIn};
use crate::{IdentitySettings, Provider, SessionSettings};

const MINUTE: Duration = Duration::from_mins(1);
const DEADLINE: Duration = Duration::from_secs(2);
const OURS: [(&str, &str); 2] = [("x-csrf", "1"), ("sec-fetch-site", "same-origin")];

/// A service, and the provider that it relies on.
struct Site {
    sessions: Sessions,
    issuer: Arc<FakeIssuer>,
    store: SharedStore,
}

impl Site {
    /// Tokens live for five minutes.
    fn new() -> Self {
        let issuer = FakeIssuer::new(Clock::of_test(), 5 * MINUTE);
        Self::with(&issuer, &SharedStore::memory(), &json!({"single_replica": true}))
    }

    fn with(issuer: &Arc<FakeIssuer>, store: &SharedStore, settings: &Value) -> Self {
        let identity = json!({"issuer": REALM, "client_secret": "hush"});
        let identity: IdentitySettings = serde_json::from_value(identity).unwrap();
        let provider = Provider::new(&identity, "web-bff").unwrap();
        let party = RelyingParty::new(&provider, "https://shop.example/web/auth/callback".into());
        let settings: SessionSettings = serde_json::from_value(settings.clone()).unwrap();
        let public_url: PublicUrl = Url::parse("https://shop.example/web").unwrap().try_into().unwrap();
        let parties = (party, issuer.clone() as Arc<_>);
        let sessions =
            Sessions::of(parties, REALM.into(), &settings, &public_url, store.clone(), issuer.clock).unwrap();
        Self { sessions, issuer: issuer.clone(), store: store.clone() }
    }

    /// The cookie of Ada, who has just signed in.
    async fn sign_in(&self) -> String {
        self.open(self.issuer.sign_in("s-1"), None).await
    }

    async fn open(&self, signed_in: SignedIn, before: Option<&str>) -> String {
        let replaces = before.and_then(|cookie| self.sessions.presented(&get(cookie)));
        let cookie = self.sessions.open_session(&request(DEADLINE), signed_in, replaces).await.unwrap();
        cookie.to_str().unwrap().split(';').next().unwrap().to_owned()
    }

    /// What a request gets that is a sign of life: subject and token, or the problem.
    async fn get(&self, cookie: &str) -> String {
        let caller = self.sessions.authenticate(&request(DEADLINE), &get(cookie)).await;
        behind().await;
        summary(caller)
    }

    async fn recall(&self, cookie: &str) -> String {
        summary(self.sessions.recall(&request(DEADLINE), &get(cookie)).await)
    }

    async fn state(&self, cookie: &str) -> Result<SessionState, Problem> {
        self.sessions.state(&request(DEADLINE), &get(cookie)).await
    }

    async fn is_signed_in(&self, cookie: &str) -> bool {
        matches!(self.state(cookie).await, Ok(SessionState::SignedIn { .. }))
    }
}

/// Lets what goes on behind requests happen. Time must be paused.
async fn behind() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

fn get(cookie: &str) -> Parts {
    head("GET", "/dashboard", &[("cookie", cookie)])
}

fn head(method: &str, path: &str, headers: &[(&str, &str)]) -> Parts {
    let request = headers.iter().filter(|(_, value)| !value.is_empty());
    let request = request.fold(Request::builder().method(method).uri(path), |request, (name, value)| {
        request.header(*name, *value)
    });
    request.body(()).unwrap().into_parts().0
}

fn post(cookie: &str, headers: &[(&str, &str)]) -> Parts {
    head("POST", "/auth/logout", &[&[(COOKIE.as_str(), cookie)], headers].concat())
}

fn summary(result: Result<Caller, Problem>) -> String {
    let problem = match result {
        Ok(caller) => return format!("{} {}", caller.subject.as_str(), caller.token.expose()),
        Err(problem) => problem,
    };
    let answer = problem.render("/", "r-1", Naming::CamelCase);
    let mut summary = answer.status().as_u16().to_string();
    for name in [WWW_AUTHENTICATE, RETRY_AFTER] {
        if let Some(value) = answer.headers().get(&name) {
            write!(summary, " {name}: {}", value.to_str().unwrap()).unwrap();
        }
    }
    summary
}

const NOBODY: &str = r#"401 www-authenticate: Cookie realm="triptych""#;
const LATER: &str = "503 retry-after: 5";

#[tokio::test(start_paused = true)]
async fn a_cookie_stands_for_who_signed_in_and_nothing_else_does() {
    let site = Site::new();
    let (ada, again) = (site.sign_in().await, site.sign_in().await);
    assert_ne!(ada, again);
    assert_eq!(site.get(&ada).await, "u_42 a-1");
    assert_eq!(site.get(&format!("theme=dark; {again}")).await, "u_42 a-2");
    let unknown = format!("__Host-Http-triptych={}", "A".repeat(43));
    let development = ada.replace("__Host-Http-triptych", "triptych-dev");
    let doubled = format!("{ada}; {ada}");
    for cookie in
        ["", "a=b", "__Host-Http-triptych=", &unknown, &development, &doubled, &ada[..ada.len() - 1]]
    {
        assert_eq!(site.get(cookie).await, NOBODY, "{cookie}");
        assert!(matches!(site.state(cookie).await, Ok(SessionState::Nobody)), "{cookie}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_has_the_store_has_neither_ids_nor_tokens() {
    let site = Site::new();
    let ada = site.sign_in().await;
    let id = ada.split_once('=').unwrap().1;
    let name = site.sessions.presented(&get(&ada)).unwrap().name();
    assert!(!name.contains(id));
    let value = site.store.get(&name).await.unwrap().unwrap().value;
    for secret in ["a-1", "r-1", "u_42", "Ada", id] {
        assert!(!value.windows(secret.len()).any(|part| part == secret.as_bytes()), "{secret}");
    }
    // What is sealed for one session cannot be put in the place of another.
    let other = site.sign_in().await;
    let entry = store::Entry::new(value, MINUTE);
    let place = site.sessions.presented(&get(&other)).unwrap().name();
    site.store.put(&place, entry, store::If::Any).await.unwrap();
    assert_eq!(site.get(&other).await, NOBODY);
}

#[tokio::test(start_paused = true)]
async fn what_another_page_sent_is_refused_before_anything_is_asked() {
    let site = Site::new();
    let ada = site.sign_in().await;
    let unknown = format!("__Host-Http-triptych={}", "A".repeat(43));
    let ask = async |head: Parts| summary(site.sessions.authenticate(&request(DEADLINE), &head).await);
    for cookie in [&ada, &unknown, "__Host-Http-triptych=x"] {
        let cookie = ("cookie", cookie);
        let cross = head("GET", "/dashboard", &[cookie, ("sec-fetch-site", "cross-site")]);
        assert_eq!(ask(cross).await, "403");
        assert_eq!(ask(head("POST", "/orders", &[cookie])).await, "403");
        assert_eq!(ask(head("POST", "/orders", &[cookie, ("sec-fetch-site", "same-origin")])).await, "403");
    }
    assert_eq!(ask(post(&ada, &OURS)).await, "u_42 a-1");
    assert_eq!(ask(post(&unknown, &OURS)).await, NOBODY);
    assert_eq!(ask(post("", &[])).await, NOBODY, "without a cookie there is nothing to forge");
    let forged = site.sessions.logout(&request(DEADLINE), &post(&ada, &[])).await;
    assert_eq!(forged.unwrap_err().status(), 403);
    assert_eq!(site.get(&ada).await, "u_42 a-1");
}

#[tokio::test(start_paused = true)]
async fn a_session_lasts_while_it_is_used_and_no_longer_than_it_may() {
    let site = Site::new();
    let ada = site.sign_in().await;
    for _ in 0..3 {
        advance(29 * MINUTE).await;
        assert!(site.get(&ada).await.starts_with("u_42"));
    }
    for look in ["recall", "state"] {
        advance(14 * MINUTE).await;
        let there =
            if look == "state" { site.is_signed_in(&ada).await } else { site.recall(&ada).await != NOBODY };
        assert!(there, "{look}");
        behind().await;
    }
    advance(3 * MINUTE).await;
    assert_eq!(site.get(&ada).await, NOBODY, "to be looked at kept it alive");

    let ada = site.sign_in().await;
    for _ in 0..35 {
        advance(20 * MINUTE).await;
        assert!(site.get(&ada).await.starts_with("u_42"));
    }
    advance(20 * MINUTE).await;
    assert_eq!(site.get(&ada).await, NOBODY, "it outlived twelve hours");
}

#[tokio::test(start_paused = true)]
async fn its_use_is_noted_now_and_then() {
    let site = Site::new();
    let ada = site.sign_in().await;
    let name = site.sessions.presented(&get(&ada)).unwrap().name();
    let version = async || site.store.get(&name).await.unwrap().unwrap().version;
    let first = version().await;
    advance(MINUTE).await;
    site.get(&ada).await;
    assert_eq!(version().await, first);
    advance(MINUTE).await;
    site.get(&ada).await;
    let noted = version().await;
    assert!(noted > first);
    site.get(&ada).await;
    assert_eq!(version().await, noted);

    // What has not changed is neither opened nor read again.
    let (vault, key) = (&site.sessions.0.vault, site.sessions.presented(&get(&ada)).unwrap());
    let opened = [vault.load(key).await.unwrap().unwrap(), vault.load(key).await.unwrap().unwrap()];
    assert!(Arc::ptr_eq(&opened[0], &opened[1]));
}

#[tokio::test(start_paused = true)]
async fn a_page_learns_who_it_is_for_and_when_that_ends() {
    let site = Site::new();
    let ada = site.sign_in().await;
    let began = site.issuer.clock.now();
    let state = async |soon| {
        let SessionState::SignedIn { id, name, expires_at, ends_soon } = site.state(&ada).await.unwrap()
        else {
            panic!("nobody is signed in");
        };
        assert_eq!((id.as_str(), name.as_deref()), ("u_42", Some("Ada Lovelace")));
        assert_eq!((expires_at, ends_soon), (began + 30 * MINUTE, soon));
    };
    state(false).await;
    advance(25 * MINUTE).await;
    state(false).await;
    advance(Duration::from_secs(1)).await;
    state(true).await;
    advance(5 * MINUTE).await;
    assert_eq!(site.state(&ada).await.unwrap(), SessionState::Nobody);
}

#[tokio::test(start_paused = true)]
async fn a_session_moves_to_the_new_key_when_it_is_written() {
    let keys =
        ["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="];
    let before = Site::new();
    let site = |settings| Site::with(&before.issuer, &before.store, &settings);
    let old = site(json!({"single_replica": true, "key": keys[0]}));
    let both = site(json!({"single_replica": true, "key": keys[1], "previous_key": keys[0]}));
    let new = site(json!({"single_replica": true, "key": keys[1]}));
    let ada = old.sign_in().await;
    assert_eq!(new.get(&ada).await, NOBODY);
    assert_eq!(both.get(&ada).await, "u_42 a-1");
    assert_eq!(new.get(&ada).await, NOBODY);
    advance(2 * MINUTE).await;
    assert_eq!(both.get(&ada).await, "u_42 a-1");
    assert_eq!(new.get(&ada).await, "u_42 a-1");
}
