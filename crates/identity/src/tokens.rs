//! The token of each call to a domain service.

use std::sync::Arc;

use futures::future::BoxFuture;
use request_context::{AccessToken, RequestContext};
use upstream_client::{Credential, TokenError, TokenSource};

use crate::client_credentials::ClientCredentials;
use crate::{Accounts, Provider};

/// Gives a personal call its caller's own token, and a public one this service's.
///
/// For now every service is in the audience of these tokens, so that they pass through as they are.
pub struct Tokens {
    service: ClientCredentials,
    accounts: Option<Arc<Accounts>>,
}

impl Tokens {
    /// The tokens of a service whose callers bring theirs.
    pub fn new(provider: &Arc<Provider>) -> Self {
        let service = ClientCredentials::new(provider.clone(), provider.own_client());
        Self { service, accounts: None }
    }

    /// The same, for a service whose callers are partners: their tokens are ours to renew.
    #[must_use]
    pub fn with_accounts(self, accounts: Arc<Accounts>) -> Self {
        Self { accounts: Some(accounts), ..self }
    }

    async fn of_caller(
        &self,
        ctx: &RequestContext,
        rejected: Option<&AccessToken>,
    ) -> Result<AccessToken, TokenError> {
        let caller = ctx.caller().ok_or(TokenError::Refused)?;
        let Some(rejected) = rejected else {
            return Ok(caller.token.clone());
        };
        // A token that a caller brought is not ours to renew: who brought it has to bring another. That of a
        // partner's account may be one or the other, and ours may do more.
        let account = self.accounts.as_ref().and_then(|accounts| accounts.of(&caller.subject));
        let account = account.filter(|account| account.gave(rejected));
        account.ok_or(TokenError::Refused)?.token_after(ctx, rejected).await
    }

    async fn of_service(
        &self,
        ctx: &RequestContext,
        rejected: Option<&AccessToken>,
    ) -> Result<AccessToken, TokenError> {
        match rejected {
            None => self.service.token(ctx).await,
            Some(rejected) => self.service.token_after(ctx, rejected).await,
        }
    }
}

impl TokenSource for Tokens {
    fn token<'a>(
        &'a self,
        ctx: &'a RequestContext,
        credential: Credential,
        _audience: &'static str,
        rejected: Option<&'a AccessToken>,
    ) -> BoxFuture<'a, Result<AccessToken, TokenError>> {
        match credential {
            Credential::Caller => Box::pin(self.of_caller(ctx, rejected)),
            Credential::Service => Box::pin(self.of_service(ctx, rejected)),
            Credential::Nobody => Box::pin(std::future::ready(Err(TokenError::Refused))),
        }
    }
}
