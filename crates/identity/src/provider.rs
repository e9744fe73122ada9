//! The identity provider as we reach it: its configuration, its keys, its token endpoint.
//!
//! A call to it is made once: it is neither retried nor coalesced here. [`Keys`](crate::keys::Keys),
//! [`ClientCredentials`](crate::client_credentials::ClientCredentials) and
//! [`RelyingParty`](crate::oidc::RelyingParty) decide when to ask.

mod code_flow;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use garde::Validate;
use http::HeaderValue;
use http::header::AUTHORIZATION;
use request_context::{Deadline, RequestContext};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::sync::OnceCell;
use tokio::task::spawn_blocking;
use upstream_client::{BadUpstream, CallError, CallErrorKind, Operation, Reason, Refusal, Upstream};
use url::Url;
use url::form_urlencoded::byte_serialize;

use crate::IdentitySettings;
use crate::endpoint::{Endpoint, Question, upstream};

/// Time for asking where an endpoint is and then asking it.
const PATIENCE: Duration = Duration::from_secs(5);

const UNUSABLE: &str = "it announces an unusable endpoint";

static CONFIGURATION: Operation =
    Operation::get("identity-provider.configuration", "/.well-known/openid-configuration")
        .as_nobody()
        .max_body(256 << 10);
static KEYS: Question = Question { plain: ask_for_keys(""), slash: ask_for_keys("/") };
static TOKEN: Question = Question { plain: ask_for_token(""), slash: ask_for_token("/") };
/// What was given to be redeemed is void (RFC 6749, section 5.2), and will not be good again.
pub(crate) const INVALID_GRANT: &str = "invalid_grant";
/// The one answer of a token endpoint that says something about the grant, and not about us or about it.
static REFUSALS: [Refusal; 1] =
    [Refusal { code: INVALID_GRANT, title: "The grant is not valid", reason: Reason::Invalid }];

const fn ask_for_keys(path: &'static str) -> Operation {
    Operation::get("identity-provider.keys", path).as_nobody().max_body(256 << 10)
}

const fn ask_for_token(path: &'static str) -> Operation {
    Operation::post("identity-provider.token", path).as_nobody().max_body(64 << 10).refusals(&REFUSALS)
}

/// The identity provider that issues the tokens, and what this service is to it.
pub struct Provider {
    settings: IdentitySettings,
    realm: Arc<str>,
    service: String,
    /// Where it announces its endpoints: a client is made at the start unless the settings name those that
    /// every service needs.
    base: OnceCell<Upstream>,
    configuration: OnceCell<Arc<Configuration>>,
    keys: OnceCell<Endpoint>,
    token: OnceCell<Endpoint>,
    revocation: OnceCell<Endpoint>,
}

/// A client of the provider.
pub(crate) struct Client {
    pub(crate) id: String,
    pub(crate) secret: SecretString,
}

/// The provider could not be asked, or gave an unusable answer. For the log.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub(crate) struct ProviderError {
    what: &'static str,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// Provider metadata (OpenID Connect Discovery 1.0, section 3; RFC 8414; RFC 9207).
///
/// What only some services need is text until it is used, so that one bad address spoils no other.
#[derive(Clone, Deserialize, Validate)]
#[garde(allow_unvalidated)]
pub(crate) struct Configuration {
    issuer: String,
    jwks_uri: Url,
    token_endpoint: Option<Url>,
    pub(crate) authorization_endpoint: Option<String>,
    pub(crate) end_session_endpoint: Option<String>,
    revocation_endpoint: Option<String>,
    #[serde(default)]
    pub(crate) authorization_response_iss_parameter_supported: bool,
}

/// A JWK set (RFC 7517, section 5). Its keys are read one by one: one that is unknown to us spoils no other.
#[derive(Clone, Deserialize, Validate)]
pub(crate) struct KeysAnswer {
    #[garde(length(max = 100))]
    pub(crate) keys: Vec<serde_json::Value>,
}

/// A successful token response (RFC 6749, section 5.1; OpenID Connect Core 1.0, section 3.1.3.3).
#[derive(Clone, Deserialize, Validate)]
#[garde(allow_unvalidated)]
pub(crate) struct TokenAnswer {
    #[garde(length(min = 1, max = 8192))]
    pub(crate) access_token: String,
    pub(crate) token_type: String,
    pub(crate) expires_in: Option<u64>,
    #[garde(length(min = 1, max = 16384))]
    pub(crate) id_token: Option<String>,
    #[garde(length(min = 1, max = 8192))]
    pub(crate) refresh_token: Option<String>,
    #[garde(length(max = 2048))]
    pub(crate) scope: Option<String>,
}

impl Provider {
    /// The provider that `settings` name, as `service` knows it. Nothing is sent yet.
    pub fn new(settings: &IdentitySettings, service: &str) -> Result<Arc<Self>, BadUpstream> {
        let keys = named(settings.jwks_url.as_ref(), &KEYS)?;
        let token = named(settings.token_url.as_ref(), &TOKEN)?;
        let announces = !(keys.initialized() && token.initialized());
        let base = announces.then(|| upstream(found_at(settings))).transpose()?;
        Ok(Arc::new(Self {
            settings: settings.clone(),
            realm: settings.issuer.as_str().into(),
            service: service.to_owned(),
            base: OnceCell::new_with(base),
            configuration: OnceCell::new(),
            keys,
            token,
            revocation: OnceCell::new(),
        }))
    }

    pub(crate) fn settings(&self) -> &IdentitySettings {
        &self.settings
    }

    /// What the subjects of its tokens are subjects of.
    pub(crate) fn realm(&self) -> Arc<str> {
        Arc::clone(&self.realm)
    }

    /// What `aud` must contain for a token to be meant for this service.
    pub(crate) fn audience(&self) -> &str {
        self.settings.audience.as_deref().unwrap_or(&self.service)
    }

    /// The client that this service itself is.
    pub(crate) fn own_client(&self) -> Client {
        let id = self.settings.client_id.clone();
        Client { id: id.unwrap_or_else(|| self.service.clone()), secret: self.settings.client_secret.clone() }
    }

    pub(crate) async fn fetch_keys(&self, ctx: &RequestContext) -> Result<KeysAnswer, ProviderError> {
        let ctx = &detached(ctx);
        let keys = self.keys.get_or_try_init(async || {
            let url = self.configuration(ctx).await?.jwks_uri.clone();
            self.announced(url, &KEYS).await
        });
        keys.await?.call(ctx).fetch().await.map_err(ProviderError::from_source("its keys cannot be fetched"))
    }

    /// A token by client credentials (RFC 6749, section 4.4).
    pub(crate) async fn fetch_token(
        &self,
        ctx: &RequestContext,
        client: &Client,
    ) -> Result<TokenAnswer, ProviderError> {
        self.ask_for_token(&detached(ctx), client, &TOKEN, &[("grant_type", "client_credentials")]).await
    }

    async fn ask_for_token(
        &self,
        ctx: &RequestContext,
        client: &Client,
        question: &'static Question,
        form: &[(&str, &str)],
    ) -> Result<TokenAnswer, ProviderError> {
        let token = self.token.get_or_try_init(async || {
            let url = self.configuration(ctx).await?.token_endpoint.clone();
            let url = url.ok_or_else(|| ProviderError::new("it announces no token endpoint"))?;
            self.announced(url, &TOKEN).await
        });
        let call = token.await?.ask(ctx, question).header(AUTHORIZATION, client.authorization()).form(form);
        call.fetch().await.map_err(ProviderError::from_source("it issued no token"))
    }

    /// What it announces. Fetched when it is first needed, and kept.
    pub(crate) async fn configuration(
        &self,
        ctx: &RequestContext,
    ) -> Result<&Arc<Configuration>, ProviderError> {
        self.configuration.get_or_try_init(async || self.fetch_configuration(&detached(ctx)).await).await
    }

    /// The same, if it was fetched before.
    pub(crate) fn known_configuration(&self) -> Option<&Arc<Configuration>> {
        self.configuration.get()
    }

    async fn fetch_configuration(&self, ctx: &RequestContext) -> Result<Arc<Configuration>, ProviderError> {
        let base = self.base.get_or_try_init(async || built(upstream, found_at(&self.settings)).await);
        let found: Configuration = base
            .await?
            .call(ctx, &CONFIGURATION)
            .fetch()
            .await
            .map_err(ProviderError::from_source("its configuration cannot be fetched"))?;
        if found.issuer != self.settings.issuer {
            return Err(ProviderError::new("it has another name than the settings say"));
        }
        Ok(Arc::new(found))
    }

    /// The endpoint that is announced at `url`.
    async fn announced(&self, url: Url, question: &'static Question) -> Result<Endpoint, ProviderError> {
        built(move |url| Endpoint::new(url, question), self.moved(url)?).await
    }

    /// An endpoint of the provider's own origin is reached where the provider is.
    fn moved(&self, mut url: Url) -> Result<Url, ProviderError> {
        self.refuse_downgrade(&url)?;
        if let Some(base) = &self.settings.provider_url
            && url.origin() == named_by(&self.settings).origin()
        {
            let mut moved = base.clone();
            moved.set_path(url.path());
            moved.set_query(url.query());
            url = moved;
        }
        Ok(url)
    }

    fn refuse_downgrade(&self, url: &Url) -> Result<(), ProviderError> {
        if named_by(&self.settings).scheme() == "https" && url.scheme() != "https" {
            return Err(ProviderError::new("it announces an endpoint without TLS"));
        }
        Ok(())
    }
}

impl Client {
    /// HTTP Basic with both parts encoded as in a form (RFC 6749, section 2.3.1).
    fn authorization(&self) -> HeaderValue {
        let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
        let pair = format!("{}:{}", encoded(&self.id), encoded(self.secret.expose_secret()));
        let value = format!("Basic {}", STANDARD.encode(pair));
        let mut value = HeaderValue::try_from(value).expect("base64 is visible ASCII");
        value.set_sensitive(true);
        value
    }
}

impl ProviderError {
    pub(crate) fn new(what: &'static str) -> Self {
        Self { what, source: None }
    }

    /// What the network or the decoder said, if it was that.
    pub(crate) fn cause(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }

    /// What the provider itself calls the reason of its refusal (RFC 6749, section 5.2), if it decides
    /// anything.
    pub(crate) fn refusal(&self) -> Option<&'static str> {
        match self.source.as_deref()?.downcast_ref::<CallError>()?.kind {
            CallErrorKind::Refused { refusal, .. } => Some(refusal?.code),
            _ => None,
        }
    }

    fn from_source<E>(what: &'static str) -> impl FnOnce(E) -> Self
    where
        E: Error + Send + Sync + 'static,
    {
        move |error| Self { what, source: Some(Box::new(error)) }
    }
}

/// The endpoint that the settings name, or room for the one that is announced.
fn named(url: Option<&Url>, question: &'static Question) -> Result<OnceCell<Endpoint>, BadUpstream> {
    let endpoint = url.map(|url| Endpoint::new(url.clone(), question)).transpose()?;
    Ok(OnceCell::new_with(endpoint))
}

/// What is made for a URL. Not on a thread that handles requests: a client for TLS reads the system's
/// certificates.
async fn built<T: Send + 'static>(
    make: impl FnOnce(Url) -> Result<T, BadUpstream> + Send + 'static,
    url: Url,
) -> Result<T, ProviderError> {
    let built = spawn_blocking(move || make(url)).await;
    built.map_err(ProviderError::from_source(UNUSABLE))?.map_err(ProviderError::from_source(UNUSABLE))
}

fn named_by(settings: &IdentitySettings) -> Url {
    Url::parse(&settings.issuer).expect("the settings were checked")
}

fn found_at(settings: &IdentitySettings) -> Url {
    settings.provider_url.clone().unwrap_or_else(|| named_by(settings))
}

/// What is fetched serves everyone, so that it neither ends with the request that needed it first nor names
/// its caller.
fn detached(ctx: &RequestContext) -> RequestContext {
    detached_for(ctx, PATIENCE)
}

fn detached_for(ctx: &RequestContext, patience: Duration) -> RequestContext {
    RequestContext::new(ctx.request_id().clone(), ctx.trace().clone(), Deadline::after(patience))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Which of base, keys and token endpoint have a client before the first request.
    fn made(changes: &serde_json::Value) -> [bool; 3] {
        let mut settings = json!({"issuer": "http://idp.shop.example", "client_secret": "hush"});
        for (key, value) in changes.as_object().unwrap() {
            settings[key] = value.clone();
        }
        let settings: IdentitySettings = serde_json::from_value(settings).unwrap();
        let provider = Provider::new(&settings, "mobile-bff").unwrap();
        [provider.base.initialized(), provider.keys.initialized(), provider.token.initialized()]
    }

    #[test]
    fn clients_are_made_at_the_start_if_they_can_be_and_only_if_they_are_needed() {
        let (keys, token) = ("http://idp.shop.example/keys", "http://idp.shop.example/token");
        for (settings, expected) in [
            (json!({}), [true, false, false]),
            (json!({"jwks_url": keys}), [true, true, false]),
            (json!({"token_url": token}), [true, false, true]),
            (json!({"jwks_url": keys, "token_url": token}), [false, true, true]),
        ] {
            assert_eq!(made(&settings), expected, "{settings}");
        }
    }
}
