//! This service as a relying party (OpenID Connect Core 1.0): the code flow with PKCE, and what keeps a
//! sign-in alive or ends it.

mod attempt;
mod claims;
mod id_token;
mod logout_token;
mod metadata;
mod token_set;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::Algorithm;
use request_context::{RequestContext, Scopes, Subject};
use secrecy::{ExposeSecret, SecretString};

pub(crate) use attempt::Attempt;
pub(crate) use logout_token::LogoutToken;
pub(crate) use token_set::TokenSet;

use crate::Provider;
use crate::keys::Keys;
use crate::log::in_request;
use crate::provider::{Client, INVALID_GRANT, ProviderError, TokenAnswer};
use crate::rejection::Fault;
use claims::{Issued, Untrusted};
use id_token::{Expected, IdToken, Person};
use metadata::Metadata;

const BAD_ID_TOKEN: &str = "it refreshed with a bad ID token";

/// This service as its provider knows it. Cheap to clone; clones share what was learned.
#[derive(Clone)]
pub(crate) struct RelyingParty(Arc<Inner>);

struct Inner {
    provider: Arc<Provider>,
    client: Client,
    redirect_uri: String,
    algorithms: Vec<Algorithm>,
    keys: Keys,
    metadata: Metadata,
}

/// Somebody whom the provider has just signed in.
pub(crate) struct SignedIn {
    pub(crate) subject: Subject,
    /// What to call them, if the provider says.
    pub(crate) name: Option<String>,
    /// The provider's own session, by which it may end ours.
    pub(crate) sid: Option<String>,
    pub(crate) tokens: TokenSet,
}

/// Why a code became no sign-in.
#[derive(Clone, Debug)]
pub(crate) enum RedeemError {
    /// The provider does not take the code: it is old, used, or was made for somebody else.
    Refused,
    /// Something in the answer is not what was asked for.
    Forged(Fault),
    /// Nobody knows: the provider is down, slow, or talks nonsense.
    Unavailable(Arc<ProviderError>),
}

/// Why there are no new tokens.
#[derive(Clone, Debug)]
pub(crate) enum RefreshError {
    /// The provider will never give one again.
    Refused,
    /// Nobody knows: the provider is down, slow, or talks nonsense.
    Unavailable(Arc<ProviderError>),
}

/// Why nobody is logged out.
#[derive(Clone, Debug)]
pub(crate) enum LogoutTokenError {
    /// The token is not good.
    Bad(Fault),
    /// It may be good: the provider's keys are needed and cannot be had.
    Unavailable(Arc<ProviderError>),
}

impl RelyingParty {
    /// The provider sends browsers back to `redirect_uri`.
    pub(crate) fn new(provider: &Arc<Provider>, redirect_uri: String) -> Self {
        let pinned = provider.settings().algorithms.iter();
        let algorithms: Vec<_> = pinned.map(|algorithm| Algorithm::from(*algorithm)).collect();
        Self(Arc::new(Inner {
            provider: provider.clone(),
            client: provider.own_client(),
            redirect_uri,
            keys: Keys::new(provider.issuer().clone(), algorithms.clone()),
            algorithms,
            metadata: Metadata::new(provider.clone()),
        }))
    }

    /// Fetches the provider's keys in the background, so that the first sign-in finds them.
    /// Must be called in a tokio runtime.
    pub(crate) fn warm(&self) {
        self.0.keys.warm();
    }

    /// Where the browser goes to sign in (OpenID Connect Core 1.0, section 3.1.2.1; RFC 7636, section 4.3).
    pub(crate) async fn authorization_url(
        &self,
        ctx: &RequestContext,
        attempt: &Attempt,
    ) -> Result<String, Arc<ProviderError>> {
        let settings = self.0.provider.settings();
        let mut url = match &settings.authorization_url {
            Some(url) => url.clone(),
            None => self.0.metadata.get(ctx).await?.authorization_endpoint(&self.0.provider)?,
        };
        let scopes = &settings.scopes;
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.0.client.id)
            .append_pair("redirect_uri", &self.0.redirect_uri)
            .append_pair("scope", scopes)
            .append_pair("state", &attempt.state)
            .append_pair("nonce", &attempt.nonce)
            .append_pair("code_challenge", &attempt.code_challenge())
            .append_pair("code_challenge_method", "S256");
        if scopes.split(' ').any(|scope| scope == "offline_access") {
            // Without it the scope must be ignored (OpenID Connect Core 1.0, section 11).
            url.query_pairs_mut().append_pair("prompt", "consent");
        }
        Ok(url.into())
    }

    /// Whether an answer to a sign-in that names this issuer, or none, can be the provider's (RFC 9207,
    /// section 2.4): another provider's answer must not be redeemed here.
    pub(crate) async fn is_issuer(
        &self,
        ctx: &RequestContext,
        iss: Option<&str>,
    ) -> Result<bool, Arc<ProviderError>> {
        if let Some(iss) = iss {
            return Ok(iss == self.0.provider.settings().issuer);
        }
        if self.0.provider.settings().authorization_url.is_some() {
            // Nothing has to be announced then, and what may be missing cannot be demanded.
            return Ok(true);
        }
        Ok(!self.0.metadata.get(ctx).await?.names_issuer())
    }

    /// Whom the provider has signed in, for a code that was sent back to `attempt`.
    pub(crate) async fn redeem_code(
        &self,
        ctx: &RequestContext,
        code: &str,
        attempt: &Attempt,
    ) -> Result<SignedIn, RedeemError> {
        let asked = Timestamp::now();
        let redeemed = (code, self.0.redirect_uri.as_str(), attempt.verifier.expose_secret());
        let answer = self.0.provider.redeem_code(ctx, &self.0.client, redeemed).await;
        let answer = answer.map_err(|error| match error.refusal() {
            Some(INVALID_GRANT) => RedeemError::Refused,
            _ => RedeemError::Unavailable(Arc::new(error)),
        })?;
        let expected = self.expected(&answer, Some(&attempt.nonce), None);
        let person = self.person(ctx, answer.id_token.as_deref(), expected).await?;
        let tokens = TokenSet::new(answer, asked);
        let mut tokens = tokens.map_err(|error| RedeemError::Unavailable(Arc::new(error)))?;
        // An answer without scopes grants those that were asked for (RFC 6749, section 5.1).
        tokens.scopes.get_or_insert_with(|| Scopes::parse(&self.0.provider.settings().scopes));
        Ok(SignedIn { subject: person.subject, name: person.name, sid: person.sid, tokens })
    }

    /// New tokens for the one who is `subject`. Takes its time, whatever the request has: who hangs up may
    /// lose tokens that were already rotated.
    pub(crate) async fn refresh(
        &self,
        ctx: &RequestContext,
        refresh_token: &SecretString,
        subject: &Subject,
    ) -> Result<TokenSet, RefreshError> {
        let unavailable = |error| RefreshError::Unavailable(Arc::new(error));
        let asked = Timestamp::now();
        let answer = self.0.provider.redeem_refresh_token(ctx, &self.0.client, refresh_token).await;
        let answer = answer.map_err(|error| match error.refusal() {
            Some(INVALID_GRANT) => RefreshError::Refused,
            _ => unavailable(error),
        })?;
        if let Some(id_token) = answer.id_token.as_deref() {
            let expected = self.expected(&answer, None, Some(subject));
            match self.person(ctx, Some(id_token), expected).await {
                Ok(_) => {}
                // The old refresh token is spent: to give these up would end the session for want of a key. They came
                // from the token endpoint itself, which is as good (OpenID Connect Core 1.0, 3.1.3.7, step 6).
                Err(RedeemError::Unavailable(_) | RedeemError::Forged(Fault::UnknownKey)) => {
                    let expected = self.expected(&answer, None, Some(subject));
                    let claims = claims::unverified::<IdToken>(id_token);
                    let checked =
                        claims.and_then(|id| id.claims.check(id.algorithm, &expected, Timestamp::now()));
                    checked.map_err(|_| unavailable(ProviderError::new(BAD_ID_TOKEN)))?;
                    in_request!(warn, ctx, "refreshed ID token taken without its key");
                }
                // Tokens of somebody else, or of nobody: these are not the session's.
                Err(RedeemError::Forged(_) | RedeemError::Refused) => {
                    return Err(unavailable(ProviderError::new(BAD_ID_TOKEN)));
                }
            }
        }
        TokenSet::new(answer, asked).map_err(unavailable)
    }

    /// Where the browser goes to end the provider's own session (OpenID Connect RP-Initiated Logout 1.0,
    /// section 2); `None` if there is no such place, or nobody knows it now.
    pub(crate) async fn end_session_url(
        &self,
        ctx: &RequestContext,
        post_logout_redirect_uri: &str,
    ) -> Option<String> {
        let mut url = match &self.0.provider.settings().end_session_url {
            Some(url) => url.clone(),
            None => self.0.metadata.get(ctx).await.ok()?.end_session_endpoint(&self.0.provider)?,
        };
        url.query_pairs_mut()
            .append_pair("client_id", &self.0.client.id)
            .append_pair("post_logout_redirect_uri", post_logout_redirect_uri);
        Some(url.into())
    }

    /// Has a refresh token revoked, if that can be done now (RFC 7009).
    pub(crate) async fn revoke(&self, ctx: &RequestContext, refresh_token: &SecretString) {
        if let Err(error) = self.0.provider.revoke(ctx, &self.0.client, refresh_token).await {
            in_request!(warn, ctx, %error, cause = error.cause(), "refresh token not revoked");
        }
    }

    /// Whom the provider has logged out (OpenID Connect Back-Channel Logout 1.0, section 2.6).
    pub(crate) async fn verify_logout_token(
        &self,
        ctx: &RequestContext,
        token: &str,
    ) -> Result<LogoutToken, LogoutTokenError> {
        let Inner { provider, client, algorithms, keys, .. } = &*self.0;
        let rules = Issued { keys, algorithms, is_type: logout_token::is_type };
        let token = rules.verify(ctx, token).await.map_err(|untrusted| match untrusted {
            Untrusted::Bad(fault) => LogoutTokenError::Bad(fault),
            Untrusted::Unavailable(error) => LogoutTokenError::Unavailable(error),
        })?;
        let (issuer, leeway) = (&provider.settings().issuer, self.leeway());
        LogoutToken::check(token.claims, issuer, &client.id, leeway, Timestamp::now())
            .map_err(LogoutTokenError::Bad)
    }

    async fn person(
        &self,
        ctx: &RequestContext,
        id_token: Option<&str>,
        expected: Expected<'_>,
    ) -> Result<Person, RedeemError> {
        let Some(id_token) = id_token else {
            return Err(RedeemError::Unavailable(Arc::new(ProviderError::new("it issued no ID token"))));
        };
        let rules = Issued { keys: &self.0.keys, algorithms: &self.0.algorithms, is_type: id_token::is_type };
        let token = rules.verify::<IdToken>(ctx, id_token).await.map_err(|untrusted| match untrusted {
            Untrusted::Bad(fault) => RedeemError::Forged(fault),
            Untrusted::Unavailable(error) => RedeemError::Unavailable(error),
        })?;
        token.claims.check(token.algorithm, &expected, Timestamp::now()).map_err(RedeemError::Forged)
    }

    fn expected<'a>(
        &'a self,
        answer: &'a TokenAnswer,
        nonce: Option<&'a str>,
        subject: Option<&'a Subject>,
    ) -> Expected<'a> {
        Expected {
            issuer: &self.0.provider.settings().issuer,
            client_id: &self.0.client.id,
            access_token: &answer.access_token,
            nonce,
            subject,
            leeway: self.leeway(),
        }
    }

    fn leeway(&self) -> SignedDuration {
        SignedDuration::from_secs(self.0.provider.settings().leeway.as_secs().cast_signed())
    }
}
