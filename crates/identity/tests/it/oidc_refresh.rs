//! What a provider can answer to a refresh token, and what becomes of the session.

use request_context::Authenticate;
use serde_json::{Value, json};
use store::SharedStore;

use super::browser::{Browser, code};
use super::oidc_provider::{OpenIdProvider, header, id_claims, tokens};
use super::signer::Signer;
use super::support::{request, summary};

const ENDED: &str = r#"401 www-authenticate: Cookie realm="triptych""#;
const NOBODY_KNOWS: &str = "503 retry-after: 5";

/// What two requests in a row get, of a session whose token is over and whose provider answers so to a refresh.
async fn after_refresh(status: u16, answer: impl FnOnce(&Signer) -> Value) -> [String; 2] {
    after_refresh_at(status, |_, signer| answer(signer)).await
}

/// The same, of a provider that may change otherwise, too.
async fn after_refresh_at(
    status: u16,
    answer: impl FnOnce(&OpenIdProvider, &Signer) -> Value,
) -> [String; 2] {
    let signer = Signer::ed25519("good");
    let fake = OpenIdProvider::start(&signer).await;
    let sessions = fake.sessions(&SharedStore::memory(), &json!({}));
    let mut browser = Browser::default();
    let asked = browser.begin(&sessions, "/").await;
    let mut first = tokens(&signer, &asked.nonce);
    first["expires_in"] = json!(0);
    fake.answer_token(200, first);
    browser.finish(&sessions, &code(&asked.state)).await.unwrap();
    fake.answer_token(status, answer(&fake, &signer));
    let request = async || summary(sessions.authenticate(&request(), &browser.head()).await);
    let outcome = [request().await, request().await];
    let [_, (_, form)] = &fake.seen("POST /token")[..] else { panic!("one refresh") };
    assert_eq!(form, "grant_type=refresh_token&refresh_token=refresh-1");
    outcome
}

fn refreshed(signer: &Signer, changes: &Value) -> Value {
    let mut claims = id_claims("");
    claims.as_object_mut().unwrap().remove("nonce");
    for (claim, value) in changes.as_object().unwrap() {
        claims[claim] = value.clone();
    }
    let mut answer = tokens(signer, "");
    answer["id_token"] = json!(signer.sign(&header(signer), &claims));
    answer
}

#[tokio::test]
async fn good_tokens_keep_the_session() {
    for changes in [json!({}), json!({"nonce": "another"})] {
        assert_eq!(after_refresh(200, |signer| refreshed(signer, &changes)).await, ["u_42", "u_42"]);
    }
    let without = |signer: &Signer| {
        let mut answer = refreshed(signer, &json!({}));
        answer.as_object_mut().unwrap().retain(|member, _| member != "id_token" && member != "refresh_token");
        answer
    };
    assert_eq!(after_refresh(200, without).await, ["u_42", "u_42"]);
}

#[tokio::test]
async fn a_key_that_cannot_be_had_ends_no_session() {
    let answer = |fake: &OpenIdProvider, _: &Signer| {
        fake.withhold_keys();
        refreshed(&Signer::ed25519("rotated"), &json!({}))
    };
    assert_eq!(after_refresh_at(200, answer).await, ["u_42", "u_42"]);
    // Nor one that is not published yet; but what the token says must still be right.
    let rotated = |changes: Value| move |_: &Signer| refreshed(&Signer::ed25519("rotated"), &changes);
    assert_eq!(after_refresh(200, rotated(json!({}))).await, ["u_42", "u_42"]);
    for changes in [json!({"sub": "u_1"}), json!({"aud": "mobile-bff"}), json!({"exp": 1_700_000_000})] {
        assert_eq!(after_refresh(200, rotated(changes)).await, [NOBODY_KNOWS, NOBODY_KNOWS]);
    }
}

#[tokio::test]
async fn only_a_grant_that_is_void_ends_the_session() {
    assert_eq!(after_refresh(400, |_| json!({"error": "invalid_grant"})).await, [ENDED, ENDED]);
    for (status, body) in [
        (400, json!({"error": "invalid_request"})),
        (400, json!({"error": "invalid_client"})),
        (400, json!({"error_description": "invalid_grant"})),
        (400, json!("<h1>invalid_grant</h1>")),
        (401, json!({"error": "invalid_client"})),
        (403, json!({"error": "invalid_grant"})),
        (404, json!({"error": "invalid_grant"})),
        (429, json!({"error": "invalid_grant"})),
        (500, json!({"error": "invalid_grant"})),
        (302, json!({})),
        (200, json!({"error": "invalid_grant"})),
        (200, json!("<h1>Sign in</h1>")),
    ] {
        let outcome = after_refresh(status, |_| body.clone()).await;
        assert_eq!(outcome, [NOBODY_KNOWS, NOBODY_KNOWS], "{status} {body}");
    }
}

#[tokio::test]
async fn tokens_of_somebody_else_are_nobodys() {
    for changes in [
        json!({"sub": "u_1"}),
        json!({"iss": "http://mallory.example"}),
        json!({"aud": "mobile-bff"}),
        json!({"exp": 1_700_000_000}),
        json!({"at_hash": "77QmUPtjPfzWtF2AnpK9RQ"}),
    ] {
        let outcome = after_refresh(200, |signer| refreshed(signer, &changes)).await;
        assert_eq!(outcome, [NOBODY_KNOWS, NOBODY_KNOWS], "{changes}");
    }
    let forged = |_: &Signer| refreshed(&Signer::ed25519("good"), &json!({}));
    assert_eq!(after_refresh(200, forged).await, [NOBODY_KNOWS, NOBODY_KNOWS]);
}
