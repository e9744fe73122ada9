//! The token of each call to a domain service.

use std::sync::Arc;

use futures::future::BoxFuture;
use request_context::{AccessToken, RequestContext};
use upstream_client::{Credential, TokenError, TokenSource};

use crate::client_credentials::ClientCredentials;
use crate::exchange::{Exchange, NoToken, SubjectToken};
use crate::{Accounts, ExchangeMode, Provider};

/// Gives a personal call a token that speaks for its caller, and a public one a token that speaks for this service:
/// one for the service that is called and for no other, unless the settings say that tokens pass through as they are.
pub struct Tokens {
    service: ClientCredentials,
    accounts: Option<Arc<Accounts>>,
    exchange: Option<Exchange>,
}

impl Tokens {
    /// The tokens of a service whose callers bring theirs.
    pub fn new(provider: &Arc<Provider>) -> Self {
        let service = ClientCredentials::new(provider.clone(), provider.own_client());
        let exchange = match provider.settings().exchange.mode {
            ExchangeMode::Exchange => Some(Exchange::new(provider)),
            ExchangeMode::PassThrough => None,
        };
        Self { service, accounts: None, exchange }
    }

    /// The same, for a service whose callers are partners: their tokens are ours to renew.
    #[must_use]
    pub fn with_accounts(self, accounts: Arc<Accounts>) -> Self {
        Self { accounts: Some(accounts), ..self }
    }

    async fn of_caller(
        &self,
        ctx: &RequestContext,
        audience: &'static str,
        rejected: Option<&AccessToken>,
    ) -> Result<AccessToken, TokenError> {
        let caller = ctx.caller().ok_or(TokenError::Refused)?;
        // A token that a caller brought is not ours to renew: who brought it has to bring another. That of a
        // partner's account may be one or the other, and ours may do more.
        let account = || self.accounts.as_ref().and_then(|accounts| accounts.of(&caller.subject));
        match (&self.exchange, rejected) {
            (Some(exchange), rejected) => {
                let subject = SubjectToken { realm: caller.realm.clone(), token: caller.token.clone() };
                let account = || account().filter(|account| account.gave(&caller.token));
                exchanged(exchange, ctx, subject, account, audience, rejected).await
            }
            (None, None) => Ok(caller.token.clone()),
            (None, Some(rejected)) => {
                let account = account().filter(|account| account.gave(rejected));
                account.ok_or(TokenError::Refused)?.token_after(ctx, rejected).await
            }
        }
    }

    async fn of_service(
        &self,
        ctx: &RequestContext,
        audience: &'static str,
        rejected: Option<&AccessToken>,
    ) -> Result<AccessToken, TokenError> {
        match (&self.exchange, rejected) {
            (Some(exchange), rejected) => {
                let subject =
                    SubjectToken { realm: self.service.realm(), token: self.service.token(ctx).await? };
                exchanged(exchange, ctx, subject, || Some(&self.service), audience, rejected).await
            }
            (None, None) => self.service.token(ctx).await,
            (None, Some(rejected)) => self.service.token_after(ctx, rejected).await,
        }
    }
}

/// A token for `audience`. When the provider takes the subject token no more, and that is ours to renew, it is
/// renewed once.
async fn exchanged<'a>(
    exchange: &Exchange,
    ctx: &RequestContext,
    subject: SubjectToken,
    renewable: impl FnOnce() -> Option<&'a ClientCredentials>,
    audience: &'static str,
    rejected: Option<&AccessToken>,
) -> Result<AccessToken, TokenError> {
    match exchange.token(ctx, &subject, audience, rejected).await {
        Err(NoToken::BadSubject) => {}
        token => return token.map_err(TokenError::from),
    }
    let credentials = renewable().ok_or(TokenError::Refused)?;
    let token = credentials.token_after(ctx, &subject.token).await?;
    let subject = SubjectToken { token, ..subject };
    exchange.token(ctx, &subject, audience, rejected).await.map_err(TokenError::from)
}

impl TokenSource for Tokens {
    fn token<'a>(
        &'a self,
        ctx: &'a RequestContext,
        credential: Credential,
        audience: &'static str,
        rejected: Option<&'a AccessToken>,
    ) -> BoxFuture<'a, Result<AccessToken, TokenError>> {
        match credential {
            Credential::Caller => Box::pin(self.of_caller(ctx, audience, rejected)),
            Credential::Service => Box::pin(self.of_service(ctx, audience, rejected)),
            Credential::Nobody => Box::pin(std::future::ready(Err(TokenError::Refused))),
        }
    }
}
