//! The provider as a relying party sees it: sign-in, refresh, sign-out (OpenID Connect).

use std::sync::Arc;

use jiff::Timestamp;
use request_context::{RequestContext, Scopes, Subject};
use secrecy::SecretString;

use crate::Provider;
use crate::provider::ProviderError;
use crate::rejection::Fault;

/// This service as a client of the provider. Cheap to clone.
#[derive(Clone)]
pub(crate) struct RelyingParty {
    provider: Arc<Provider>,
    redirect_uri: Arc<str>,
}

/// Who has signed in, and what speaks for them.
pub(crate) struct SignedIn {
    pub(crate) subject: Subject,
    pub(crate) name: Option<String>,
    /// The provider's own session, which a back-channel logout may name.
    pub(crate) sid: Option<String>,
    pub(crate) tokens: TokenSet,
}

/// What the token endpoint gave.
#[derive(Clone, Debug)]
pub(crate) struct TokenSet {
    pub(crate) access_token: SecretString,
    pub(crate) access_ends: Timestamp,
    /// Absent in the answer to a refresh if the one that was sent stays good.
    pub(crate) refresh_token: Option<SecretString>,
    pub(crate) scopes: Scopes,
}

/// Why there is no fresh token.
#[derive(Clone, Debug)]
pub(crate) enum RefreshError {
    /// `invalid_grant`: the provider will never give one again.
    Refused,
    /// Nobody knows: the provider is down, slow, or talks nonsense.
    Unavailable(Arc<ProviderError>),
}

/// A logout token that was verified (OpenID Connect Back-Channel Logout 1.0, section 2.4).
#[derive(Clone, Debug)]
pub(crate) struct LogoutToken {
    pub(crate) jti: String,
    pub(crate) sid: Option<String>,
    pub(crate) subject: Option<Subject>,
    /// From when on it is refused for its age.
    pub(crate) ends: Timestamp,
}

/// Why a logout token is not followed.
#[derive(Clone, Debug)]
pub(crate) enum LogoutTokenError {
    /// The token is not good.
    Bad(Fault),
    /// It may be good: the provider's keys cannot be had.
    Unavailable(Arc<ProviderError>),
}

impl RelyingParty {
    pub(crate) fn new(provider: &Arc<Provider>, redirect_uri: String) -> Self {
        Self { provider: provider.clone(), redirect_uri: redirect_uri.into() }
    }

    /// Redeems a refresh token. Since the provider may take it once, the answer is waited for as long as can be:
    /// one that is given up may have been the only one.
    pub(crate) async fn refresh(
        &self,
        _ctx: &RequestContext,
        _refresh_token: &SecretString,
        _subject: &Subject,
    ) -> Result<TokenSet, RefreshError> {
        Err(RefreshError::Unavailable(Arc::new(not_yet(self))))
    }

    /// Where a browser ends its session with the provider; `None` if it does not say.
    pub(crate) async fn end_session_url(&self, _ctx: &RequestContext, _back_to: &str) -> Option<String> {
        None
    }

    /// Tells the provider that nobody needs the token any more (RFC 7009). Best effort.
    pub(crate) async fn revoke(&self, _ctx: &RequestContext, _refresh_token: &SecretString) {}

    pub(crate) async fn verify_logout_token(
        &self,
        _ctx: &RequestContext,
        _token: &str,
    ) -> Result<LogoutToken, LogoutTokenError> {
        Err(LogoutTokenError::Unavailable(Arc::new(not_yet(self))))
    }
}

fn not_yet(party: &RelyingParty) -> ProviderError {
    tracing::debug!(issuer = %party.provider.realm(), redirect_uri = %party.redirect_uri, "not asked");
    ProviderError::new("it is not asked yet")
}
