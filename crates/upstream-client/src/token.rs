//! Where the credential of a call comes from.

use futures::future::BoxFuture;
use request_context::{AccessToken, RequestContext};

use crate::Credential;
use crate::error::BoxError;

/// Gives each call the token that its service will take. `identity` is one.
pub trait TokenSource: Send + Sync {
    /// The token for `audience`, on behalf of `credential`, which is never [`Credential::Nobody`].
    ///
    /// `rejected` is a token that the service has just refused: the answer must be another one.
    fn token<'a>(
        &'a self,
        ctx: &'a RequestContext,
        credential: Credential,
        audience: &'static str,
        rejected: Option<&'a AccessToken>,
    ) -> BoxFuture<'a, Result<AccessToken, TokenError>>;
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// Whoever issues it cannot be asked now.
    #[error("the token's issuer is not available")]
    Unavailable(#[source] BoxError),
    /// There is none for this request, or no other than the one that was refused.
    #[error("there is no token to call with")]
    Refused,
}

/// The source for services that need no credential: every operation must be called as nobody.
pub struct NoTokens;

impl TokenSource for NoTokens {
    fn token<'a>(
        &'a self,
        _: &'a RequestContext,
        _: Credential,
        _: &'static str,
        _: Option<&'a AccessToken>,
    ) -> BoxFuture<'a, Result<AccessToken, TokenError>> {
        Box::pin(std::future::ready(Err(TokenError::Refused)))
    }
}
