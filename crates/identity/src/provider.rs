//! The identity provider as we reach it: its configuration, its keys, its token endpoint.
//!
//! A call to it is made once: it is neither retried nor coalesced here. [`Keys`](crate::keys::Keys) and
//! [`ClientCredentials`](crate::client_credentials::ClientCredentials) decide when to ask.

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
use upstream_client::{BadUpstream, Operation, Upstream};
use url::Url;
use url::form_urlencoded::byte_serialize;

use crate::endpoint::{Endpoint, Question, upstream};
use crate::{IdentitySettings, IssuerSettings};

/// Time for asking where an endpoint is and then asking it.
const PATIENCE: Duration = Duration::from_secs(5);

static CONFIGURATION: Operation =
    Operation::get("identity-provider.configuration", "/.well-known/openid-configuration")
        .as_nobody()
        .max_body(256 << 10);
static KEYS: Question = Question { plain: ask_for_keys(""), slash: ask_for_keys("/") };
static TOKEN: Question = Question { plain: ask_for_token(""), slash: ask_for_token("/") };

const fn ask_for_keys(path: &'static str) -> Operation {
    Operation::get("identity-provider.keys", path).as_nobody().max_body(256 << 10)
}

const fn ask_for_token(path: &'static str) -> Operation {
    Operation::post("identity-provider.token", path).as_nobody().max_body(64 << 10)
}

/// The identity provider of this service, what this service is to it, and who else issues tokens.
pub struct Provider {
    settings: IdentitySettings,
    service: String,
    issuer: Arc<Issuer>,
    others: Vec<Arc<Issuer>>,
    token: OnceCell<Endpoint>,
}

/// Somebody whose tokens are taken, as far as it takes to verify them.
pub(crate) struct Issuer {
    settings: IssuerSettings,
    realm: Arc<str>,
    audience: String,
    /// Where it announces its endpoints: absent if the settings name them all.
    base: Option<Upstream>,
    keys: OnceCell<Endpoint>,
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

/// Provider metadata (OpenID Connect Discovery 1.0, section 3).
#[derive(Clone, Deserialize, Validate)]
#[garde(allow_unvalidated)]
struct Configuration {
    issuer: String,
    jwks_uri: Url,
    token_endpoint: Option<Url>,
}

/// A JWK set (RFC 7517, section 5). Its keys are read one by one: one that is unknown to us spoils no other.
#[derive(Clone, Deserialize, Validate)]
pub(crate) struct KeysAnswer {
    #[garde(length(max = 100))]
    pub(crate) keys: Vec<serde_json::Value>,
}

/// A successful token response (RFC 6749, section 5.1).
#[derive(Clone, Deserialize, Validate)]
#[garde(allow_unvalidated)]
pub(crate) struct TokenAnswer {
    #[garde(length(min = 1, max = 8192))]
    pub(crate) access_token: String,
    pub(crate) token_type: String,
    pub(crate) expires_in: Option<u64>,
}

impl Provider {
    /// The provider that `settings` name, as `service` knows it. Nothing is sent yet.
    pub fn new(settings: &IdentitySettings, service: &str) -> Result<Arc<Self>, BadUpstream> {
        let token = named(settings.token_url.as_ref(), &TOKEN)?;
        let issuer = Issuer::new(settings.own_issuer(), service, !token.initialized())?;
        let others = settings.issuers.values().map(|other| Issuer::new(other.clone(), service, false));
        Ok(Arc::new(Self {
            settings: settings.clone(),
            service: service.to_owned(),
            issuer,
            others: others.collect::<Result<_, _>>()?,
            token,
        }))
    }

    pub(crate) fn settings(&self) -> &IdentitySettings {
        &self.settings
    }

    /// Everybody whose tokens are taken, the provider first.
    pub(crate) fn issuers(&self) -> impl Iterator<Item = &Arc<Issuer>> {
        std::iter::once(&self.issuer).chain(&self.others)
    }

    /// What the subjects of its tokens are subjects of.
    pub(crate) fn realm(&self) -> Arc<str> {
        self.issuer.realm()
    }

    /// The client that this service itself is.
    pub(crate) fn own_client(&self) -> Client {
        let id = self.settings.client_id.clone();
        Client { id: id.unwrap_or_else(|| self.service.clone()), secret: self.settings.client_secret.clone() }
    }

    /// A token by client credentials (RFC 6749, section 4.4).
    pub(crate) async fn fetch_token(
        &self,
        ctx: &RequestContext,
        client: &Client,
    ) -> Result<TokenAnswer, ProviderError> {
        let ctx = &detached(ctx);
        let token = self.token.get_or_try_init(async || {
            let url = self.issuer.configuration(ctx).await?.token_endpoint;
            let url = url.ok_or_else(|| ProviderError::new("it announces no token endpoint"))?;
            self.issuer.announced(url, &TOKEN).await
        });
        let call = token
            .await?
            .call(ctx)
            .header(AUTHORIZATION, client.authorization())
            .form(&[("grant_type", "client_credentials")]);
        call.fetch().await.map_err(ProviderError::from_source("it issued no token"))
    }
}

impl Issuer {
    /// Nothing is sent yet. `announces_more` says that something besides its keys will be looked for.
    fn new(settings: IssuerSettings, service: &str, announces_more: bool) -> Result<Arc<Self>, BadUpstream> {
        let keys = named(settings.jwks_url.as_ref(), &KEYS)?;
        let announces = announces_more || !keys.initialized();
        let name = || Url::parse(&settings.issuer).expect("the settings were checked");
        let base = announces.then(|| settings.provider_url.clone().unwrap_or_else(name));
        Ok(Arc::new(Self {
            realm: settings.issuer.as_str().into(),
            audience: settings.audience.clone().unwrap_or_else(|| service.to_owned()),
            base: base.map(upstream).transpose()?,
            keys,
            settings,
        }))
    }

    pub(crate) fn settings(&self) -> &IssuerSettings {
        &self.settings
    }

    /// What the subjects of its tokens are subjects of.
    pub(crate) fn realm(&self) -> Arc<str> {
        Arc::clone(&self.realm)
    }

    /// What `aud` must contain for a token to be meant for this service.
    pub(crate) fn audience(&self) -> &str {
        &self.audience
    }

    pub(crate) async fn fetch_keys(&self, ctx: &RequestContext) -> Result<KeysAnswer, ProviderError> {
        let ctx = &detached(ctx);
        let keys = self.keys.get_or_try_init(async || {
            let url = self.configuration(ctx).await?.jwks_uri;
            self.announced(url, &KEYS).await
        });
        keys.await?.call(ctx).fetch().await.map_err(ProviderError::from_source("its keys cannot be fetched"))
    }

    async fn configuration(&self, ctx: &RequestContext) -> Result<Configuration, ProviderError> {
        let base = self.base.as_ref().expect("an endpoint that the settings do not name needs one");
        let found: Configuration = base
            .call(ctx, &CONFIGURATION)
            .fetch()
            .await
            .map_err(ProviderError::from_source("its configuration cannot be fetched"))?;
        if found.issuer != self.settings.issuer {
            return Err(ProviderError::new("it has another name than the settings say"));
        }
        Ok(found)
    }

    /// The endpoint that is announced at `url`.
    async fn announced(&self, url: Url, question: &'static Question) -> Result<Endpoint, ProviderError> {
        const UNUSABLE: &str = "it announces an unusable endpoint";
        let url = self.moved(url)?;
        // Not on a thread that handles requests: a client for TLS reads the system's certificates.
        let made = spawn_blocking(move || Endpoint::new(url, question)).await;
        made.map_err(ProviderError::from_source(UNUSABLE))?.map_err(ProviderError::from_source(UNUSABLE))
    }

    /// An endpoint of the provider's own origin is reached where the provider is.
    fn moved(&self, mut url: Url) -> Result<Url, ProviderError> {
        let issuer = Url::parse(&self.settings.issuer).expect("the settings were checked");
        if issuer.scheme() == "https" && url.scheme() != "https" {
            return Err(ProviderError::new("it announces an endpoint without TLS"));
        }
        if let Some(base) = &self.settings.provider_url
            && url.origin() == issuer.origin()
        {
            let mut moved = base.clone();
            moved.set_path(url.path());
            moved.set_query(url.query());
            url = moved;
        }
        Ok(url)
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

/// What is fetched serves everyone, so that it neither ends with the request that needed it first nor names
/// its caller.
fn detached(ctx: &RequestContext) -> RequestContext {
    RequestContext::new(ctx.request_id().clone(), ctx.trace().clone(), Deadline::after(PATIENCE))
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
        let issuer = &provider.issuer;
        [issuer.base.is_some(), issuer.keys.initialized(), provider.token.initialized()]
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
