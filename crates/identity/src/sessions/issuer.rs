//! What sessions ask of the provider.

use futures::future::BoxFuture;
use request_context::{RequestContext, Subject};
use secrecy::SecretString;

use crate::oidc::{LogoutToken, LogoutTokenError, RefreshError, RelyingParty, TokenSet};

/// The provider, or what a model puts in its place.
pub(crate) trait Issuer: Send + Sync {
    /// Redeems a refresh token, which the provider may take once.
    fn refresh<'a>(
        &'a self,
        ctx: &'a RequestContext,
        refresh_token: &'a SecretString,
        subject: &'a Subject,
    ) -> BoxFuture<'a, Result<TokenSet, RefreshError>>;

    /// Says that nobody needs the token any more. Best effort.
    fn revoke<'a>(&'a self, ctx: &'a RequestContext, refresh_token: &'a SecretString) -> BoxFuture<'a, ()>;

    /// Where a browser ends its session with the provider, to come back to `back_to`.
    fn end_session_url<'a>(
        &'a self,
        ctx: &'a RequestContext,
        back_to: &'a str,
    ) -> BoxFuture<'a, Option<String>>;

    /// Verifies a logout token, but for whether it was used before.
    fn verify_logout_token<'a>(
        &'a self,
        ctx: &'a RequestContext,
        token: &'a str,
    ) -> BoxFuture<'a, Result<LogoutToken, LogoutTokenError>>;
}

impl Issuer for RelyingParty {
    fn refresh<'a>(
        &'a self,
        ctx: &'a RequestContext,
        refresh_token: &'a SecretString,
        subject: &'a Subject,
    ) -> BoxFuture<'a, Result<TokenSet, RefreshError>> {
        Box::pin(RelyingParty::refresh(self, ctx, refresh_token, subject))
    }

    fn revoke<'a>(&'a self, ctx: &'a RequestContext, refresh_token: &'a SecretString) -> BoxFuture<'a, ()> {
        Box::pin(RelyingParty::revoke(self, ctx, refresh_token))
    }

    fn end_session_url<'a>(
        &'a self,
        ctx: &'a RequestContext,
        back_to: &'a str,
    ) -> BoxFuture<'a, Option<String>> {
        Box::pin(RelyingParty::end_session_url(self, ctx, back_to))
    }

    fn verify_logout_token<'a>(
        &'a self,
        ctx: &'a RequestContext,
        token: &'a str,
    ) -> BoxFuture<'a, Result<LogoutToken, LogoutTokenError>> {
        Box::pin(RelyingParty::verify_logout_token(self, ctx, token))
    }
}
