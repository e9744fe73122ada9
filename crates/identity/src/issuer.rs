//! Somebody who issues tokens, as far as it takes to verify them: what they announce, and their keys.

use std::sync::Arc;

use garde::Validate;
use request_context::RequestContext;
use serde::Deserialize;
use tokio::sync::OnceCell;
use tokio::task::spawn_blocking;
use upstream_client::{BadUpstream, Operation, Outbound, Upstream};
use url::Url;

use crate::IssuerSettings;
use crate::endpoint::{Endpoint, Question, upstream};
use crate::provider::{ProviderError, detached};

pub(crate) const UNUSABLE: &str = "it announces an unusable endpoint";

static CONFIGURATION: Operation =
    Operation::get("identity-provider.configuration", "/.well-known/openid-configuration")
        .as_nobody()
        .max_body(256 << 10);
static KEYS: Question = Question { plain: ask_for_keys(""), slash: ask_for_keys("/") };

const fn ask_for_keys(path: &'static str) -> Operation {
    Operation::get("identity-provider.keys", path).as_nobody().max_body(256 << 10)
}

/// Somebody whose tokens are taken.
pub(crate) struct Issuer {
    settings: IssuerSettings,
    outbound: Outbound,
    realm: Arc<str>,
    audience: String,
    /// Where it announces its endpoints: a client is made at the start unless the settings name those that
    /// every service needs.
    base: OnceCell<Upstream>,
    configuration: OnceCell<Arc<Configuration>>,
    keys: OnceCell<Endpoint>,
}

/// Provider metadata (OpenID Connect Discovery 1.0, section 3; RFC 8414; RFC 9207).
///
/// What only some services need is text until it is used, so that one bad address spoils no other.
#[derive(Clone, Deserialize, Validate)]
#[garde(allow_unvalidated)]
pub(crate) struct Configuration {
    issuer: String,
    jwks_uri: Url,
    pub(crate) token_endpoint: Option<Url>,
    pub(crate) authorization_endpoint: Option<String>,
    pub(crate) end_session_endpoint: Option<String>,
    pub(crate) revocation_endpoint: Option<String>,
    #[serde(default)]
    pub(crate) authorization_response_iss_parameter_supported: bool,
}

/// A JWK set (RFC 7517, section 5). Its keys are read one by one: one that is unknown to us spoils no other.
#[derive(Clone, Deserialize, Validate)]
pub(crate) struct KeysAnswer {
    #[garde(length(max = 100))]
    pub(crate) keys: Vec<serde_json::Value>,
}

impl Issuer {
    /// Nothing is sent yet. `announces_more` says that something besides its keys will be looked for.
    pub(crate) fn new(
        settings: IssuerSettings,
        service: &str,
        announces_more: bool,
        outbound: &Outbound,
    ) -> Result<Arc<Self>, BadUpstream> {
        let keys = named(settings.jwks_url.as_ref(), &KEYS, outbound)?;
        let announces = announces_more || !keys.initialized();
        let base = announces.then(|| upstream(settings.found_at(), outbound)).transpose()?;
        Ok(Arc::new(Self {
            realm: settings.issuer.as_str().into(),
            audience: settings.audience.clone().unwrap_or_else(|| service.to_owned()),
            base: OnceCell::new_with(base),
            configuration: OnceCell::new(),
            keys,
            outbound: outbound.clone(),
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

    /// Which of base and keys have a client.
    #[cfg(test)]
    pub(crate) fn clients(&self) -> [bool; 2] {
        [self.base.initialized(), self.keys.initialized()]
    }

    pub(crate) async fn fetch_keys(&self, ctx: &RequestContext) -> Result<KeysAnswer, ProviderError> {
        let ctx = &detached(ctx);
        let keys = self.keys.get_or_try_init(async || {
            let url = self.configuration(ctx).await?.jwks_uri.clone();
            self.announced(url, &KEYS).await
        });
        keys.await?.call(ctx).fetch().await.map_err(ProviderError::from_source("its keys cannot be fetched"))
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
        let outbound = self.outbound.clone();
        let make = move |url| upstream(url, &outbound);
        let base = self.base.get_or_try_init(async || made(make, self.settings.found_at()).await);
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
    pub(crate) async fn announced(
        &self,
        url: Url,
        question: &'static Question,
    ) -> Result<Endpoint, ProviderError> {
        let outbound = self.outbound.clone();
        made(move |url| Endpoint::new(url, question, &outbound), self.moved(url)?).await
    }

    /// An address for browsers: it is never moved, since they do not reach what only we reach.
    pub(crate) fn front_channel(&self, url: &str) -> Result<Url, ProviderError> {
        let url = Url::parse(url).map_err(ProviderError::from_source(UNUSABLE))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(ProviderError::new(UNUSABLE));
        }
        self.refuse_downgrade(&url)?;
        Ok(url)
    }

    /// An endpoint of the provider's own origin is reached where the provider is.
    fn moved(&self, mut url: Url) -> Result<Url, ProviderError> {
        self.refuse_downgrade(&url)?;
        if let Some(base) = &self.settings.provider_url
            && url.origin() == self.settings.name().origin()
        {
            let mut moved = base.clone();
            moved.set_path(url.path());
            moved.set_query(url.query());
            url = moved;
        }
        Ok(url)
    }

    fn refuse_downgrade(&self, url: &Url) -> Result<(), ProviderError> {
        if self.settings.name().scheme() == "https" && url.scheme() != "https" {
            return Err(ProviderError::new("it announces an endpoint without TLS"));
        }
        Ok(())
    }
}

/// The endpoint that the settings name, or room for the one that is announced.
pub(crate) fn named(
    url: Option<&Url>,
    question: &'static Question,
    outbound: &Outbound,
) -> Result<OnceCell<Endpoint>, BadUpstream> {
    let endpoint = url.map(|url| Endpoint::new(url.clone(), question, outbound)).transpose()?;
    Ok(OnceCell::new_with(endpoint))
}

/// What is made for a URL. Not on a thread that handles requests: a client for TLS reads the system's
/// certificates.
async fn made<T: Send + 'static>(
    make: impl FnOnce(Url) -> Result<T, BadUpstream> + Send + 'static,
    url: Url,
) -> Result<T, ProviderError> {
    let built = spawn_blocking(move || make(url)).await;
    built.map_err(ProviderError::from_source(UNUSABLE))?.map_err(ProviderError::from_source(UNUSABLE))
}
