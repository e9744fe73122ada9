//! Signing in through the front door: the attacks on it, and what a provider can do wrong.

use std::time::Duration;

use aws_lc_rs::{digest, hmac};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use identity::{Sessions, SignInAnswer, SignInTrouble};
use serde_json::{Value, json};
use store::SharedStore;
use url::Url;

use super::browser::{Browser, code};
use super::oidc_provider::{OpenIdProvider, header, id_claims, tokens};
use super::signer::{Signer, encode, message};
use super::support::{ISSUER, Log, pass, request};

/// Makes a bad ID token for a sign-in with this nonce.
type Forgery<'a> = Box<dyn FnOnce(&str) -> String + 'a>;

struct House {
    signer: Signer,
    fake: OpenIdProvider,
    sessions: Sessions,
}

async fn house() -> House {
    let signer = Signer::ed25519("good");
    let fake = OpenIdProvider::start(&signer).await;
    let sessions = fake.sessions(&SharedStore::memory(), &json!({}));
    House { signer, fake, sessions }
}

impl House {
    /// What comes of a sign-in whose token endpoint answers so to a nonce.
    async fn sign_in(&self, token: impl FnOnce(&str) -> (u16, Value)) -> Result<String, SignInTrouble> {
        let mut browser = Browser::default();
        let asked = browser.begin(&self.sessions, "/orders").await;
        let (status, body) = token(&asked.nonce);
        self.fake.answer_token(status, body);
        let result = browser.finish(&self.sessions, &code(&asked.state)).await;
        assert!(browser.names().iter().all(|name| !name.contains("login")), "{:?}", browser.names());
        result.map(|there| there.location).map_err(|error| error.trouble)
    }

    /// The same, with this ID token.
    async fn sign_in_with(&self, id_token: impl FnOnce(&str) -> String) -> Result<String, SignInTrouble> {
        let answer = |nonce: &str| {
            let mut answer = tokens(&self.signer, nonce);
            answer["id_token"] = json!(id_token(nonce));
            (200, answer)
        };
        self.sign_in(answer).await
    }
}

fn reason(log: &Log) -> Option<String> {
    let log = log.take();
    let refused = log.lines().find(|line| line.contains("sign-in refused"))?;
    Some(refused.split("reason=").nth(1)?.split(' ').next()?.to_owned())
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
async fn no_forged_id_token_signs_anybody_in() {
    let house = house().await;
    let (log, _guard) = Log::capture();
    let (good, mallory) = (&house.signer, Signer::ed25519("good"));
    let now = id_claims("")["iat"].as_i64().unwrap();
    let with = |claim: &str, value: Value| {
        let claim = claim.to_owned();
        Box::new(move |nonce: &str| {
            let mut claims = id_claims(nonce);
            claims[&claim] = value;
            good.sign(&header(good), &claims)
        }) as Forgery<'_>
    };
    let without = |claim: &'static str| {
        Box::new(move |nonce: &str| {
            let mut claims = id_claims(nonce);
            claims.as_object_mut().unwrap().remove(claim);
            good.sign(&header(good), &claims)
        }) as Forgery<'_>
    };
    let with_header = |member: &str, value: Value| {
        let member = member.to_owned();
        Box::new(move |nonce: &str| {
            let mut header = header(good);
            header[&member] = value;
            good.sign(&header, &id_claims(nonce))
        }) as Forgery<'_>
    };
    let unsigned = |alg: &'static str| {
        Box::new(move |nonce: &str| {
            let unsigned = json!({"alg": alg, "typ": "JWT", "kid": "good"});
            format!("{}.", message(&unsigned, &id_claims(nonce)))
        }) as Forgery<'_>
    };
    let hmac = |nonce: &str| {
        let message = message(&json!({"alg": "HS256", "typ": "JWT", "kid": "good"}), &id_claims(nonce));
        let key = hmac::Key::new(hmac::HMAC_SHA256, &good.public_bytes());
        format!("{message}.{}", encode(hmac::sign(&key, message.as_bytes())))
    };
    let with_client_secret = |nonce: &str| {
        let message = message(&json!({"alg": "HS256", "typ": "JWT", "kid": "good"}), &id_claims(nonce));
        let key = hmac::Key::new(hmac::HMAC_SHA256, super::oidc_provider::SECRET.as_bytes());
        format!("{message}.{}", encode(hmac::sign(&key, message.as_bytes())))
    };
    let spliced = |nonce: &str| {
        let signature = good.sign(&header(good), &id_claims(nonce)).rsplit('.').next().unwrap().to_owned();
        let mut claims = id_claims(nonce);
        claims["sub"] = json!("u_1");
        format!("{}.{signature}", message(&header(good), &claims))
    };
    let foreign = |nonce: &str| mallory.sign(&header(&mallory), &id_claims(nonce));
    let own_key = |nonce: &str| {
        let mut bringing = header(&mallory);
        bringing["jwk"] = mallory.jwk();
        mallory.sign(&bringing, &id_claims(nonce))
    };

    let attacks: Vec<(&str, Forgery<'_>)> = vec![
        ("WrongNonce", with("nonce", json!("another"))),
        ("WrongNonce", without("nonce")),
        ("WrongIssuer", with("iss", json!("http://mallory.example"))),
        ("WrongIssuer", with("iss", json!("http://idp.shop.example/"))),
        ("BadClaim", without("iss")),
        ("WrongAudience", with("aud", json!("mobile-bff"))),
        ("BadClaim", without("aud")),
        ("WrongParty", with("aud", json!(["web-bff", "mobile-bff"]))),
        ("WrongParty", with("azp", json!("mobile-bff"))),
        ("Expired", with("exp", json!(now - 60))),
        ("BadClaim", without("exp")),
        ("BadClaim", with("exp", json!("never"))),
        ("NotYetValid", with("iat", json!(now + 120))),
        ("BadClaim", without("iat")),
        ("BadClaim", without("sub")),
        ("BadSubject", with("sub", json!("u_42\r\nX-Admin: 1"))),
        ("WrongTokenHash", with("at_hash", json!("77QmUPtjPfzWtF2AnpK9RQ"))),
        ("WrongType", with_header("typ", json!("at+jwt"))),
        ("WrongType", with_header("typ", json!("logout+jwt"))),
        ("ForbiddenHeader", with_header("jku", json!("http://mallory.example/jwks"))),
        ("ForbiddenHeader", with_header("crit", json!(["b64"]))),
        ("ForbiddenHeader", Box::new(own_key)),
        ("UnknownKey", with_header("kid", json!("../../dev/null"))),
        ("UnknownKey", with_header("kid", Value::Null)),
        ("Malformed", unsigned("none")),
        ("WrongSignature", unsigned("EdDSA")),
        ("WrongAlgorithm", unsigned("HS256")),
        ("WrongAlgorithm", Box::new(hmac)),
        ("WrongAlgorithm", Box::new(with_client_secret)),
        ("WrongAlgorithm", with_header("alg", json!("RS256"))),
        ("WrongSignature", Box::new(foreign)),
        ("WrongSignature", Box::new(spliced)),
        ("Malformed", Box::new(|_: &str| "no token".to_owned())),
    ];
    for (fault, token) in attacks {
        log.take();
        if fault == "UnknownKey" {
            // Unknown keys may be asked for twice a minute.
            pass(Duration::from_mins(2)).await;
        }
        assert_eq!(house.sign_in_with(token).await, Err(SignInTrouble::Forged), "{fault}");
        assert_eq!(reason(&log).as_deref(), Some(fault));
    }
    assert!(house.sign_in_with(|nonce| good.sign(&header(good), &id_claims(nonce))).await.is_ok());
}

#[tokio::test]
async fn a_token_endpoint_that_refuses_or_fails_signs_nobody_in() {
    let house = house().await;
    let without = |member: &'static str| {
        let signer = &house.signer;
        move |nonce: &str| {
            let mut answer = tokens(signer, nonce);
            answer.as_object_mut().unwrap().remove(member);
            answer
        }
    };
    for (status, body, trouble) in [
        (400, json!({"error": "invalid_grant", "error_description": "used"}), SignInTrouble::Refused),
        (400, json!({"error": "invalid_request"}), SignInTrouble::Unavailable),
        (400, json!("<h1>Bad request</h1>"), SignInTrouble::Unavailable),
        (401, json!({"error": "invalid_client"}), SignInTrouble::Unavailable),
        (401, json!({"error": "invalid_grant"}), SignInTrouble::Unavailable),
        (500, json!({"error": "invalid_grant"}), SignInTrouble::Unavailable),
        (503, json!({}), SignInTrouble::Unavailable),
        (302, json!({}), SignInTrouble::Unavailable),
        (200, json!("<h1>Sign in</h1>"), SignInTrouble::Unavailable),
        (200, json!({}), SignInTrouble::Unavailable),
        (200, without("id_token")(""), SignInTrouble::Unavailable),
        (200, without("access_token")(""), SignInTrouble::Unavailable),
        (200, without("token_type")(""), SignInTrouble::Unavailable),
    ] {
        assert_eq!(house.sign_in(|_| (status, body.clone())).await, Err(trouble), "{status} {body}");
    }
    let oversized = |nonce: &str| {
        let mut answer = tokens(&house.signer, nonce);
        answer["id_token"] = json!("a".repeat(16_385));
        (200, answer)
    };
    assert_eq!(house.sign_in(oversized).await, Err(SignInTrouble::Unavailable));
    let other_type = |nonce: &str| {
        let mut answer = tokens(&house.signer, nonce);
        answer["token_type"] = json!("DPoP");
        (200, answer)
    };
    assert_eq!(house.sign_in(other_type).await, Err(SignInTrouble::Unavailable));
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
