//! Where the provider's endpoints are, whatever their addresses look like.

use identity::Tokens;
use serde_json::{Value, json};
use upstream_client::{Credential, TokenSource};

use super::bearer::caller_of;
use super::provider::FakeProvider;
use super::signer::Signer;
use super::support::{bearer, provider, request};

const CONFIGURATION: &str = "/.well-known/openid-configuration";

/// Keys endpoint, token endpoint. A query is a part of the address (RFC 6749, section 3.2), and a slash is one
/// letter of it.
const ADDRESSES: [(&str, &str); 4] = [
    ("/policy/keys?p=b2c_1_sign_in", "/policy/token?p=b2c_1_sign_in"),
    ("/policy/keys/", "/policy/token/"),
    ("/policy/keys/?p=a%26b&p=c", "/policy/token/?p=a%26b&p=c"),
    ("/policy/keys?a%26b=%C3%A9", "/policy/token?a%26b=%C3%A9"),
];

/// Fetches keys and a token, each at its endpoint.
async fn use_both(fake: &FakeProvider, signer: &Signer, settings: &Value) {
    let mut settings = settings.clone();
    settings["exchange"] = json!({"mode": "pass_through"});
    let provider = provider(fake, &settings);
    assert_eq!(caller_of(&bearer(fake, &settings), &signer.token()).await, "u_42", "{settings}");
    let (tokens, ctx) = (Tokens::new(&provider), request());
    let token = tokens.token(&ctx, Credential::Service, "orders", None).await;
    assert_eq!(token.unwrap().expose(), "token-1", "{settings}");
}

#[tokio::test]
async fn announced_endpoints_may_have_a_query_and_end_with_a_slash() {
    let signer = Signer::ed25519("e");
    for (keys, token) in ADDRESSES {
        let fake = FakeProvider::start(&[&signer]).await;
        fake.announce(keys, token);
        use_both(&fake, &signer, &json!({})).await;
        assert_eq!((fake.calls(keys), fake.calls(token)), (1, 1), "{keys}");
    }
}

#[tokio::test]
async fn so_may_those_that_the_settings_name_and_then_nothing_is_announced() {
    let signer = Signer::ed25519("e");
    for (keys, token) in ADDRESSES {
        let fake = FakeProvider::start(&[&signer]).await;
        let at = |target| fake.url().join(target).unwrap();
        use_both(&fake, &signer, &json!({"jwks_url": at(keys), "token_url": at(token)})).await;
        assert_eq!((fake.calls(keys), fake.calls(token)), (1, 1), "{keys}");
        assert_eq!(fake.calls(CONFIGURATION), 0);
    }
}
