//! All that stands behind a BFF, as one fake: the domain services and the identity provider.

use serde_json::{Value, json};

use crate::{FakeUpstream, Provider, Reply};

/// The fake services, whose paths do not meet, and the provider of their tokens.
pub struct FakeBackend {
    /// Answers for every domain service.
    pub services: FakeUpstream,
    /// Signs the tokens.
    pub provider: Provider,
    _identity: FakeUpstream,
    issuer: String,
}

impl FakeBackend {
    /// Services that have nothing yet, and a provider that is ready.
    pub async fn start() -> Self {
        let identity = FakeUpstream::start().await;
        let provider = Provider::new(&identity.url);
        let service_token =
            json!({"access_token": "service-token", "token_type": "Bearer", "expires_in": 3600});
        identity
            .on("GET /.well-known/openid-configuration", Reply::Json(provider.discovery()))
            .on("GET /jwks", Reply::Json(provider.jwks()))
            .on("POST /token", Reply::Json(service_token));
        let issuer = identity.url.clone();
        Self { services: FakeUpstream::start().await, provider, _identity: identity, issuer }
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
}
