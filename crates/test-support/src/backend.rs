//! All that stands behind a BFF, as one fake: the domain services and the identity provider.

use serde_json::{Value, json};

use crate::{Answer, Browser, Client, FakeUpstream, Provider, Reply};

/// The fake services, whose paths do not meet, and the provider of their tokens.
pub struct FakeBackend {
    /// Answers for every domain service.
    pub services: FakeUpstream,
    /// Signs the tokens.
    pub provider: Provider,
    /// Answers for the provider.
    pub identity: FakeUpstream,
    issuer: String,
}

impl FakeBackend {
    /// Services that have nothing yet, and a provider that is ready.
    pub async fn start() -> Self {
        let identity = FakeUpstream::start().await;
        let provider = Provider::new(&identity.url);
        identity
            .on("GET /.well-known/openid-configuration", Reply::Json(provider.discovery()))
            .on("GET /jwks", Reply::Json(provider.jwks()))
            .on("POST /token", Reply::Json(service_token()));
        let issuer = identity.url.clone();
        Self { services: FakeUpstream::start().await, provider, identity, issuer }
    }

    /// The environment in which a BFF finds these `upstreams` and the provider.
    ///
    /// Nothing is kept and no breaker opens, so that each answer is the services' own of that moment.
    pub fn env(&self, upstreams: &[&str]) -> Vec<(String, String)> {
        let of_each = |key: &'static str, value: &str| {
            let value = value.to_owned();
            upstreams
                .iter()
                .map(move |name| (format!("BFF__UPSTREAMS__{}__{key}", name.to_uppercase()), value.clone()))
        };
        let others = [
            ("BFF__IDENTITY__ISSUER", self.issuer.as_str()),
            ("BFF__IDENTITY__CLIENT_SECRET", "test-secret"),
            ("BFF__CACHE__MAX_BYTES", "0 B"),
        ];
        let others = others.map(|(key, value)| (key.to_owned(), value.to_owned()));
        of_each("URL", &self.services.url).chain(of_each("BREAKER", "false")).chain(others).collect()
    }

    /// The `Authorization` of a user.
    pub fn bearer(&self, subject: &str) -> String {
        self.bearer_with(subject, &json!({}))
    }

    /// The same, with changes to the token's claims.
    pub fn bearer_with(&self, subject: &str, changes: &Value) -> String {
        format!("Bearer {}", self.provider.token(subject, changes))
    }

    /// A client of the web BFF at `base` with the session of a user, who has just signed in.
    pub async fn signed_in(&self, base: &str, subject: &str) -> Client {
        self.browser(base, subject).await.client()
    }

    /// A browser with that session, in which a page of our own makes the requests.
    pub async fn browser(&self, base: &str, subject: &str) -> Browser {
        let mut browser = Browser::new(base).with("x-csrf", "1").with("sec-fetch-site", "same-origin");
        let sent = browser.get("/auth/login").await;
        let back = self.sign_in(&sent, subject, &json!({}));
        let arrived = browser.get(&back).await;
        assert_eq!(arrived.status, 303, "{arrived:?}");
        browser
    }

    /// The path with which a browser that `/auth/login` has `sent` to the provider comes back, once the user has
    /// signed in there. `changes` are those to the answer of the token endpoint.
    pub fn sign_in(&self, sent: &Answer, subject: &str, changes: &Value) -> String {
        let location = sent.header("location");
        let parameter = |name: &str| {
            let pairs = location.split(['?', '&']);
            let value = pairs.filter_map(|pair| pair.split_once('=')).find(|(it, _)| *it == name);
            value.unwrap_or_else(|| panic!("no {name} in {sent:?}")).1
        };
        let mut tokens = json!({
            "access_token": self.provider.token(subject, &json!({})), "token_type": "Bearer", "expires_in": 3600,
            "refresh_token": format!("refresh-token-of-{subject}"),
            "id_token": self.provider.id_token(subject, &json!({"nonce": parameter("nonce")})),
        });
        for (member, value) in changes.as_object().expect("an object of members") {
            tokens[member] = value.clone();
        }
        // The code is redeemed next; whoever asks after that wants a token for itself.
        self.identity.on_each("POST /token", vec![Reply::Json(tokens), Reply::Json(service_token())]);
        format!("/auth/callback?code=c1&state={}", parameter("state"))
    }
}

fn service_token() -> Value {
    json!({"access_token": "service-token", "token_type": "Bearer", "expires_in": 3600})
}
