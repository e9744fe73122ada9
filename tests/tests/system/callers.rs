//! Every route for callers that have no right to it.

use std::collections::BTreeSet;

use end_to_end::{ACME_KEY, Credential, Frontend, Kind, Shop, System};

use crate::routes::ROUTES;
use crate::samples::Samples;

/// The name of a session's cookie.
const SESSION: &str = "__Host-Http-triptych";
/// `{"alg":"none","typ":"at+jwt"}`
const UNSIGNED: &str = "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0";

#[tokio::test]
async fn nobody_gets_anything_without_a_credential_of_the_right_kind() {
    let system = System::start().await;
    let samples = Samples::find(&system).await;
    let credentials = useless_credentials(&system).await;
    let mut tried = BTreeSet::new();
    for route in ROUTES {
        let frontend = system.frontend(route.kind).anonymous();
        let expected = if route.open { route.status.to_string() } else { "401 unauthenticated".to_owned() };
        assert_eq!(route.ask(&frontend, &samples).await.outcome(), expected, "{route} for nobody");
        for (what, header, value) in &credentials {
            // There, whoever fails twenty times in a minute waits: each is tried at the first of its routes.
            if route.kind == Kind::Partner && !route.open && !tried.insert(what) {
                continue;
            }
            let answer = route.ask(&frontend.clone().with(header, value), &samples).await;
            assert_eq!(answer.outcome(), expected, "{route} for {what}");
        }
    }
    assert_nothing_was_called(&system, &samples).await;
    what_belongs_to_others_is_forbidden(&system, &samples).await;
}

/// A refused request costs the domain services nothing.
async fn assert_nothing_was_called(system: &System, samples: &Samples) {
    system.shop.forget_calls().await;
    for route in ROUTES.iter().filter(|route| !route.open) {
        route.ask(&system.frontend(route.kind).anonymous(), samples).await;
    }
    assert!(system.shop.calls().await.is_empty(), "{:?}", system.shop.calls().await);
}

async fn useless_credentials(system: &System) -> Vec<(&'static str, &'static str, String)> {
    let elsewhere = ["--only", "identity", "--issuer", "http://127.0.0.1:9"];
    let elsewhere = Shop::open("another-issuer", &elsewhere, system.dir()).await.user_token("u_42").await;
    let forged = ["--only", "identity", "--seed", "2"];
    let forged = Shop::open("another-key", &forged, system.dir()).await.user_token("u_42").await;
    let good = system.shop.user_token("u_42").await;
    let parts: Vec<&str> = good.split('.').collect();
    let [header, claims, signature] = parts[..] else { panic!("a token has three parts") };
    let others_claims = forged.split('.').nth(1).expect("a token has three parts");
    let bearer = |token: String| format!("Bearer {token}");
    let session = cookie(system.credential(Kind::Web));
    let (acme, _) = ACME_KEY.rsplit_once('_').expect("a key has three parts");
    vec![
        ("another issuer's token", "authorization", bearer(elsewhere)),
        ("a token signed with another key", "authorization", bearer(forged.clone())),
        (
            "a token with other claims",
            "authorization",
            bearer(format!("{header}.{others_claims}.{signature}")),
        ),
        ("a token without its signature", "authorization", bearer(format!("{header}.{claims}."))),
        ("an unsigned token", "authorization", bearer(format!("{UNSIGNED}.{claims}."))),
        ("a token cut short", "authorization", bearer(good[..40].to_owned())),
        ("an empty token", "authorization", "Bearer ".to_owned()),
        ("a good token in another scheme", "authorization", format!("Basic {good}")),
        ("a key with another secret", "x-api-key", format!("{acme}_{}", "0".repeat(64))),
        ("a key that was never given out", "x-api-key", ACME_KEY.replace("acme01", "acme02")),
        ("a key without a secret", "x-api-key", acme.to_owned()),
        ("no key", "x-api-key", String::new()),
        ("a session that never was", "cookie", format!("{SESSION}={}", "A".repeat(43))),
        ("a session cut short", "cookie", session[..session.len() - 1].to_owned()),
        ("two sessions", "cookie", format!("{session}; {session}")),
        ("a session under the name of a demo's", "cookie", session.replace(SESSION, "triptych-dev")),
        ("no session", "cookie", format!("{SESSION}=")),
    ]
}

/// The `name=value` of a session.
fn cookie(session: &Credential) -> String {
    let (name, value) = &session.0[0];
    assert!(*name == "cookie" && value.starts_with(SESSION), "{value}");
    value.clone()
}

async fn what_belongs_to_others_is_forbidden(system: &System, samples: &Samples) {
    for (kind, method, path) in [
        (Kind::Web, "GET", "/orders/{foreign}"),
        (Kind::Web, "POST", "/orders/{foreign}/cancel"),
        (Kind::Web, "POST", "/notifications/{foreign_notification}/read"),
        (Kind::Mobile, "GET", "/orders/{foreign}"),
        (Kind::Partner, "GET", "/v1/orders/{foreign}"),
    ] {
        let answer = system.frontend(kind).send(method, &samples.fill(kind, path), None).await;
        assert_eq!(answer.outcome(), "403 forbidden", "{} {method} {path}", kind.name());
    }
    the_right_kind_at_the_wrong_door(system).await;
}

/// A user's token opens nothing for partners, and a partner's key nothing for users.
async fn the_right_kind_at_the_wrong_door(system: &System) {
    let header = |kind: Kind| system.credential(kind).0[0].clone();
    let (session, bearer, key) = (header(Kind::Web), header(Kind::Mobile), header(Kind::Partner));
    let with = |frontend: Frontend, name: &str, value: &str| frontend.anonymous().with(name, value);
    for (kind, path, (name, value), expected) in [
        // The token is sound: another one of the same user would not help.
        (Kind::Partner, "/v1/orders", &bearer, "403 forbidden"),
        (Kind::Partner, "/v1/orders", &session, "401 unauthenticated"),
        (Kind::Web, "/dashboard", &bearer, "401 unauthenticated"),
        (Kind::Web, "/dashboard", &key, "401 unauthenticated"),
        (Kind::Mobile, "/home", &session, "401 unauthenticated"),
        (Kind::Mobile, "/home", &key, "401 unauthenticated"),
    ] {
        let answer = with(system.frontend(kind), name, value).get(path).await;
        assert_eq!(answer.outcome(), expected, "{} {path} with {name}", kind.name());
    }
}
