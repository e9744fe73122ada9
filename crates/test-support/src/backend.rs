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
    pub fn env(&self, upstreams: &[&str]) -> Vec<(String, String)> {
        let urls = upstreams
            .iter()
            .map(|name| (format!("BFF__UPSTREAMS__{}__URL", name.to_uppercase()), self.services.url.clone()));
        let identity = [("ISSUER", self.issuer.as_str()), ("CLIENT_SECRET", "test-secret")];
        let identity = identity.map(|(key, value)| (format!("BFF__IDENTITY__{key}"), value.to_owned()));
        urls.chain(identity).collect()
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
