//! The credentials that were given on the command line.

use std::future::ready;

use futures::future::BoxFuture;
use request_context::{AccessToken, RequestContext};
use upstream_client::{Credential, TokenError, TokenSource};

/// The caller's own token for what is personal, the service's for the rest. There is no other when one is refused.
pub(crate) struct GivenTokens {
    pub(crate) service: Option<AccessToken>,
}

impl TokenSource for GivenTokens {
    fn token<'a>(
        &'a self,
        ctx: &'a RequestContext,
        credential: Credential,
        _: &'static str,
        rejected: Option<&'a AccessToken>,
    ) -> BoxFuture<'a, Result<AccessToken, TokenError>> {
        let given = match credential {
            Credential::Caller => ctx.caller().map(|caller| caller.token.clone()),
            Credential::Service => self.service.clone(),
            Credential::Nobody => None,
        };
        Box::pin(ready(given.filter(|_| rejected.is_none()).ok_or(TokenError::Refused)))
    }
}
