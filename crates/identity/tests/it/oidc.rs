//! Signing in through the front door: the attacks on it, and what a provider can do wrong.

use std::time::Duration;

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use identity::{Sessions, SignInAnswer, SignInTrouble};
use serde_json::{Value, json};
use store::SharedStore;
use url::Url;

use super::browser::{Browser, code};
use super::oidc_provider::{OpenIdProvider, tokens};
use super::signer::Signer;
use super::support::{ISSUER, pass, request};

pub(crate) struct House {
    pub(crate) signer: Signer,
    fake: OpenIdProvider,
    sessions: Sessions,
}

pub(crate) async fn house() -> House {
    let signer = Signer::ed25519("good");
    let fake = OpenIdProvider::start(&signer).await;
    let sessions = fake.sessions(&SharedStore::memory(), &json!({}));
    House { signer, fake, sessions }
}

impl House {
    /// What comes of a sign-in whose token endpoint answers so to a nonce.
    pub(crate) async fn sign_in(
        &self,
        token: impl FnOnce(&str) -> (u16, Value),
    ) -> Result<String, SignInTrouble> {
        let mut browser = Browser::default();
        let asked = browser.begin(&self.sessions, "/orders").await;
        let (status, body) = token(&asked.nonce);
        self.fake.answer_token(status, body);
        let result = browser.finish(&self.sessions, &code(&asked.state)).await;
        assert!(browser.names().iter().all(|name| !name.contains("login")), "{:?}", browser.names());
        result.map(|there| there.location).map_err(|error| error.trouble)
    }

    /// The same, with this ID token.
    pub(crate) async fn sign_in_with(
        &self,
        id_token: impl FnOnce(&str) -> String,
    ) -> Result<String, SignInTrouble> {
        let answer = |nonce: &str| {
            let mut answer = tokens(&self.signer, nonce);
            answer["id_token"] = json!(id_token(nonce));
            (200, answer)
        };
        self.sign_in(answer).await
    }
}

#[tokio::test]
async fn a_person_signs_in_and_arrives_where_they_wanted_to_go() {
    let house = house().await;
    let mut browser = Browser::default();
    let asked = browser.begin(&house.sessions, "/orders?status=shipped").await;
    let url = Url::parse(&asked.url).unwrap();
    assert_eq!(url.as_str().split('?').next(), Some("http://idp.shop.example/authorize"));
    let parameters: Vec<_> = url.query_pairs().map(|(name, value)| format!("{name}={value}")).collect();
    let challenge = parameters.iter().find_map(|it| it.strip_prefix("code_challenge=")).unwrap().to_owned();
    assert_eq!(
        parameters,
        [
            "theme=dark",
            "response_type=code",
            "client_id=web-bff",
            "redirect_uri=https://shop.example/web/auth/callback",
            "scope=openid profile",
            &format!("state={}", asked.state),
            &format!("nonce={}", asked.nonce),
            &format!("code_challenge={challenge}"),
            "code_challenge_method=S256",
        ]
    );

    house.fake.answer_token(200, tokens(&house.signer, &asked.nonce));
    let there = browser.finish(&house.sessions, &code(&asked.state)).await.unwrap();
    assert_eq!(there.location, "https://shop.example/orders?status=shipped");
    assert_eq!(browser.names(), ["__Host-Http-triptych"]);

    let [(credential, form)] = &house.fake.seen("POST /token")[..] else { panic!("one redemption") };
    assert_eq!(credential, "Basic d2ViLWJmZjpzZSUzQWNyZXQ=");
    let form: Vec<_> = url::form_urlencoded::parse(form.as_bytes()).into_owned().collect();
    let names: Vec<_> = form.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["grant_type", "code", "redirect_uri", "code_verifier"]);
    assert_eq!((form[0].1.as_str(), form[1].1.as_str()), ("authorization_code", "code-1"));
    assert_eq!(form[2].1, "https://shop.example/web/auth/callback");
    let verifier = digest::digest(&digest::SHA256, form[3].1.as_bytes());
    assert_eq!(URL_SAFE_NO_PAD.encode(verifier), challenge);
}

#[tokio::test]
async fn the_provider_says_why_it_signs_nobody_in() {
    let house = house().await;
    for (error, trouble) in [
        ("access_denied", SignInTrouble::Cancelled),
        ("server_error", SignInTrouble::Unavailable),
        ("temporarily_unavailable", SignInTrouble::Unavailable),
        ("invalid_scope", SignInTrouble::Refused),
        ("unauthorized_client", SignInTrouble::Refused),
    ] {
        let mut browser = Browser::default();
        let asked = browser.begin(&house.sessions, "/orders").await;
        let answer = SignInAnswer { code: None, error: Some(error.into()), ..code(&asked.state) };
        let refused = browser.finish(&house.sessions, &answer).await.unwrap_err();
        let again = "https://shop.example/web/auth/login?returnTo=%2Forders";
        assert_eq!((refused.trouble, refused.again.as_str()), (trouble, again), "{error}");
        assert_eq!(browser.names(), [""; 0]);
    }
    assert_eq!(house.fake.seen("POST /token").len(), 0);
}

#[tokio::test]
async fn the_answer_of_another_provider_is_never_redeemed_here() {
    let house = house().await;
    let mut browser = Browser::default();
    for iss in ["http://mallory.example", "http://idp.shop.example/", ""] {
        for error in [None, Some("access_denied".to_owned())] {
            let asked = browser.begin(&house.sessions, "/").await;
            let answer = SignInAnswer { iss: Some(iss.into()), error, ..code(&asked.state) };
            let refused = browser.finish(&house.sessions, &answer).await.unwrap_err();
            assert_eq!(refused.trouble, SignInTrouble::Forged, "{iss}");
        }
    }
    assert_eq!(house.fake.seen("POST /token").len(), 0);

    house.fake.announce("authorization_response_iss_parameter_supported", json!(true));
    let announced = house.fake.sessions(&SharedStore::memory(), &json!({}));
    for (iss, trouble) in [(None, Some(SignInTrouble::Forged)), (Some(ISSUER.to_owned()), None)] {
        let asked = browser.begin(&announced, "/").await;
        house.fake.answer_token(200, tokens(&house.signer, &asked.nonce));
        let result = browser.finish(&announced, &SignInAnswer { iss, ..code(&asked.state) }).await;
        assert_eq!(result.err().map(|error| error.trouble), trouble);
    }
}

#[tokio::test]
async fn an_answer_is_taken_from_the_browser_that_asked_and_from_no_other() {
    let house = house().await;
    let (mut ada, mut mallory) = (Browser::default(), Browser::default());
    let hers = ada.begin(&house.sessions, "/").await;
    let his = mallory.begin(&house.sessions, "/").await;
    house.fake.answer_token(200, tokens(&house.signer, &his.nonce));

    // He makes her browser sign in as him, or takes what was sent to hers.
    for (browser, state) in [(&ada, &his.state), (&mallory, &hers.state)] {
        let refused = browser.clone().finish(&house.sessions, &code(state)).await.unwrap_err();
        assert_eq!(refused.trouble, SignInTrouble::Expired);
    }
    let refused = Browser::default().finish(&house.sessions, &code(&hers.state)).await.unwrap_err();
    assert_eq!(refused.trouble, SignInTrouble::NoCookies);
    // Her cookie under the name of his.
    let value = ada.cookies.values().next().unwrap().clone();
    let mut renamed = mallory.clone();
    renamed.cookies.values_mut().for_each(|it| it.clone_from(&value));
    let refused = renamed.finish(&house.sessions, &code(&his.state)).await.unwrap_err();
    assert_eq!(refused.trouble, SignInTrouble::Forged);

    for answer in [
        SignInAnswer { state: None, ..code("") },
        code(""),
        code(&hers.state[1..]),
        SignInAnswer { code: None, ..code("unknown") },
    ] {
        let refused = ada.clone().finish(&house.sessions, &answer).await.unwrap_err();
        assert_eq!(refused.trouble, SignInTrouble::Expired);
    }
    assert_eq!(house.fake.seen("POST /token").len(), 0, "no code was redeemed");
    assert!(
        ada.clone().finish(&house.sessions, &SignInAnswer { code: None, ..code(&hers.state) }).await.is_err()
    );
}

#[tokio::test]
async fn an_answer_is_used_once_at_all_replicas_together() {
    let house = house().await;
    let store = SharedStore::memory();
    let replicas = [(); 2].map(|()| house.fake.sessions(&store, &json!({})));
    let mut browser = Browser::default();
    let asked = browser.begin(&replicas[0], "/orders").await;
    house.fake.answer_token(200, tokens(&house.signer, &asked.nonce));
    let before = browser.clone();
    assert!(browser.finish(&replicas[0], &code(&asked.state)).await.is_ok());
    for replica in &replicas {
        let refused = before.clone().finish(replica, &code(&asked.state)).await.unwrap_err();
        let again = "https://shop.example/web/auth/login?returnTo=%2Forders";
        assert_eq!((refused.trouble, refused.again.as_str()), (SignInTrouble::Used, again));
    }
    assert_eq!(house.fake.seen("POST /token").len(), 1);
}

#[tokio::test]
async fn who_is_signed_in_and_goes_back_comes_into_the_app() {
    let house = house().await;
    let mut browser = Browser::default();
    let asked = browser.begin(&house.sessions, "/orders").await;
    house.fake.answer_token(200, tokens(&house.signer, &asked.nonce));
    let before = browser.clone();
    browser.finish(&house.sessions, &code(&asked.state)).await.unwrap();
    // The attempt is gone, and the session there.
    let there = browser.clone().finish(&house.sessions, &code(&asked.state)).await.unwrap();
    assert_eq!(there.location, "https://shop.example/");
    // A second click: both are there.
    browser.cookies.extend(before.cookies);
    let there = browser.finish(&house.sessions, &code(&asked.state)).await.unwrap();
    assert_eq!(there.location, "https://shop.example/orders");
    assert_eq!(browser.names(), ["__Host-Http-triptych"]);
    assert_eq!(house.fake.seen("POST /token").len(), 1);
}

#[tokio::test]
async fn every_sign_in_has_a_new_id_and_ends_the_session_before() {
    let house = house().await;
    let mut browser = Browser::default();
    let mut ids = vec![];
    for _ in 0..2 {
        let asked = browser.begin(&house.sessions, "/").await;
        house.fake.answer_token(200, tokens(&house.signer, &asked.nonce));
        // The provider is another site: a strict cookie does not come back from there.
        let session = browser.cookies.remove("__Host-Http-triptych");
        browser.finish(&house.sessions, &code(&asked.state)).await.unwrap();
        ids.extend(session);
    }
    let mut old = Browser::default();
    old.cookies.insert("__Host-Http-triptych".into(), ids[0].clone());
    assert_ne!(browser.cookies["__Host-Http-triptych"], ids[0]);
    let state = |browser: Browser| {
        let sessions = house.sessions.clone();
        async move { sessions.state(&request(), &browser.head()).await.unwrap() }
    };
    assert_eq!(state(old).await, identity::SessionState::Nobody);
    assert_ne!(state(browser).await, identity::SessionState::Nobody);
}

#[tokio::test]
async fn a_provider_that_is_down_is_asked_now_and_then_and_used_when_it_is_back() {
    let house = house().await;
    house.fake.set_down(true);
    let asked = || house.fake.seen("GET /.well-known/openid-configuration").len();
    let begin = async || {
        let (ctx, head) = (request(), Browser::default().head());
        house.sessions.begin(&ctx, &head, None).await.map_err(|problem| problem.status().as_u16())
    };
    for _ in 0..20 {
        assert_eq!(begin().await.unwrap_err(), 503);
    }
    let first = asked();
    assert!(first < 5, "{first} times");
    house.fake.set_down(false);
    pass(Duration::from_secs(6)).await;
    assert!(begin().await.is_ok());
    assert_eq!(asked(), first + 1);
    assert!(begin().await.is_ok());
    assert_eq!(asked(), first + 1);
}

#[tokio::test]
async fn addresses_for_browsers_are_the_settings_or_else_as_announced() {
    let house = house().await;
    let begin = async |announced: Value, settings: Value| {
        house.fake.announce("authorization_endpoint", announced);
        let sessions = house.fake.sessions(&SharedStore::memory(), &settings);
        let there = sessions.begin(&request(), &Browser::default().head(), None).await;
        there.map(|there| there.location.split(['?', '&']).next().unwrap().to_owned())
    };
    for (announced, settings, location) in [
        (json!("https://login.example/authorize"), json!({}), Some("https://login.example/authorize")),
        (json!("http://idp.shop.example/a"), json!({}), Some("http://idp.shop.example/a")),
        (json!(null), json!({}), None),
        (json!("javascript:alert(1)"), json!({}), None),
        (json!("//login.example/"), json!({}), None),
        (json!(null), json!({"authorization_url": "https://sso.example/a"}), Some("https://sso.example/a")),
    ] {
        let there = begin(announced.clone(), settings).await;
        assert_eq!(there.as_ref().ok().map(String::as_str), location, "{announced}");
    }
}

#[tokio::test]
async fn offline_access_is_asked_for_with_consent() {
    let house = house().await;
    let sessions = house.fake.sessions(&SharedStore::memory(), &json!({"scopes": "openid offline_access"}));
    let asked = Browser::default().begin(&sessions, "/").await;
    assert!(asked.url.contains("&scope=openid+offline_access&"), "{}", asked.url);
    assert!(asked.url.ends_with("&prompt=consent"), "{}", asked.url);
}

#[tokio::test]
async fn a_path_that_is_not_ours_is_refused_before_the_provider_is_asked() {
    let house = house().await;
    for bad in ["//e.example", "/\\e.example", "%2f%2fe.example", "javascript:alert(1)", "/a\nb"] {
        let refused = house.sessions.begin(&request(), &Browser::default().head(), Some(bad)).await;
        assert_eq!(refused.unwrap_err().status().as_u16(), 400, "{bad}");
    }
    assert_eq!(house.fake.seen("GET /.well-known/openid-configuration").len(), 0);
}
