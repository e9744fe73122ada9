//! The identity provider as we reach it: its token endpoint, and who else issues tokens.
//!
//! A call to it is made once: it is neither retried nor coalesced here. [`Keys`](crate::keys::Keys),
//! [`ClientCredentials`](crate::client_credentials::ClientCredentials) and
//! [`RelyingParty`](crate::oidc::RelyingParty) decide when to ask.

mod code_flow;
mod exchange;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use garde::Validate;
use http::HeaderValue;
use http::header::AUTHORIZATION;
use opentelemetry::metrics::Meter;
use request_context::{Deadline, RequestContext};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::sync::OnceCell;
use upstream_client::{
    BadUpstream, CallError, CallErrorKind, NoTokens, Operation, Outbound, Reason, Refusal,
};
use url::form_urlencoded::byte_serialize;

pub(crate) use exchange::Verdict;

use crate::endpoint::{Endpoint, Question};
use crate::issuer::{Issuer, UNUSABLE, named};
use crate::{IdentitySettings, IssuerSettings};

/// Time for asking where an endpoint is and then asking it.
const PATIENCE: Duration = Duration::from_secs(5);

static TOKEN: Question = Question { plain: ask_for_token(""), slash: ask_for_token("/") };
/// What was given to be redeemed is void (RFC 6749, section 5.2), and will not be good again.
pub(crate) const INVALID_GRANT: &str = "invalid_grant";
/// The one answer of a token endpoint that says something about the grant, and not about us or about it.
static REFUSALS: [Refusal; 1] =
    [Refusal { code: INVALID_GRANT, title: "The grant is not valid", reason: Reason::Invalid }];

const fn ask_for_token(path: &'static str) -> Operation {
    Operation::post("identity-provider.token", path).as_nobody().max_body(64 << 10).refusals(&REFUSALS)
}

/// The identity provider of this service, what this service is to it, and who else issues tokens.
pub struct Provider {
    settings: IdentitySettings,
    service: String,
    outbound: Outbound,
    issuer: Arc<Issuer>,
    others: Vec<Arc<Issuer>>,
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
        let outbound = Outbound::new(Arc::new(NoTokens));
        let token = named(settings.token_url.as_ref(), &TOKEN, &outbound)?;
        let issuer = Issuer::new(settings.own_issuer(), service, !token.initialized(), &outbound)?;
        let new = |other: &IssuerSettings| Issuer::new(other.clone(), service, false, &outbound);
        let others = settings.issuers.values().map(new).collect::<Result<_, _>>()?;
        Ok(Arc::new(Self {
            settings: settings.clone(),
            service: service.to_owned(),
            issuer,
            others,
            outbound,
            token,
            revocation: OnceCell::new(),
        }))
    }

    /// Shows this meter how the calls to it, and to other issuers, are doing. Once.
    pub fn observe(&self, meter: &Meter) {
        self.outbound.observe(meter);
    }

    pub(crate) fn settings(&self) -> &IdentitySettings {
        &self.settings
    }

    /// This provider as an issuer of tokens.
    pub(crate) fn issuer(&self) -> &Arc<Issuer> {
        &self.issuer
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
            let url = self.issuer.configuration(ctx).await?.token_endpoint.clone();
            let url = url.ok_or_else(|| ProviderError::new("it announces no token endpoint"))?;
            self.issuer.announced(url, &TOKEN).await
        });
        let call = token.await?.ask(ctx, question).header(AUTHORIZATION, client.authorization()).form(form);
        call.fetch().await.map_err(ProviderError::from_source("it issued no token"))
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

    pub(crate) fn from_source<E>(what: &'static str) -> impl FnOnce(E) -> Self
    where
        E: Error + Send + Sync + 'static,
    {
        move |error| Self { what, source: Some(Box::new(error)) }
    }
}

/// What is fetched serves everyone, so that it neither ends with the request that needed it first nor names
/// its caller.
pub(crate) fn detached(ctx: &RequestContext) -> RequestContext {
    detached_for(ctx, PATIENCE)
}

fn detached_for(ctx: &RequestContext, patience: Duration) -> RequestContext {
    ctx.detached(Deadline::after(patience))
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
        let [base, keys] = provider.issuer.clients();
        [base, keys, provider.token.initialized()]
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
