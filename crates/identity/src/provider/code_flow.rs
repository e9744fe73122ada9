//! What the code flow asks of the provider: tokens for a code, new ones later, and an end to them.

use std::time::Duration;

use http::header::AUTHORIZATION;
use request_context::RequestContext;
use secrecy::{ExposeSecret, SecretString};
use upstream_client::Operation;
use url::Url;

use super::{
    Client, PATIENCE, Provider, ProviderError, TOKEN, TokenAnswer, UNUSABLE, ask_for_token, detached,
    detached_for,
};
use crate::endpoint::Question;

/// Time for a token that is rotated when it is redeemed: who hangs up early loses the new one.
const REFRESH_PATIENCE: Duration = Duration::from_secs(25);

static REFRESH: Question = Question {
    plain: ask_for_token("").timeout(REFRESH_PATIENCE),
    slash: ask_for_token("/").timeout(REFRESH_PATIENCE),
};
static REVOCATION: Question = Question { plain: ask_to_revoke(""), slash: ask_to_revoke("/") };

const fn ask_to_revoke(path: &'static str) -> Operation {
    Operation::post("identity-provider.revocation", path).as_nobody().max_body(64 << 10)
}

impl Provider {
    /// The tokens for an authorization code (RFC 6749, section 4.1.3), for as long as the request waits.
    pub(crate) async fn redeem_code(
        &self,
        ctx: &RequestContext,
        client: &Client,
        (code, redirect_uri, verifier): (&str, &str, &str),
    ) -> Result<TokenAnswer, ProviderError> {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", redirect_uri),
            ("code_verifier", verifier),
        ];
        self.ask_for_token(ctx, client, &TOKEN, &form).await
    }

    /// The tokens for a refresh token (RFC 6749, section 6), however little time the request has.
    pub(crate) async fn redeem_refresh_token(
        &self,
        ctx: &RequestContext,
        client: &Client,
        refresh_token: &SecretString,
    ) -> Result<TokenAnswer, ProviderError> {
        let form = [("grant_type", "refresh_token"), ("refresh_token", refresh_token.expose_secret())];
        let ctx = detached_for(ctx, PATIENCE + REFRESH_PATIENCE);
        self.ask_for_token(&ctx, client, &REFRESH, &form).await
    }

    /// Has a refresh token revoked (RFC 7009). Says whether the provider has an endpoint for that.
    pub(crate) async fn revoke(
        &self,
        ctx: &RequestContext,
        client: &Client,
        refresh_token: &SecretString,
    ) -> Result<bool, ProviderError> {
        let ctx = &detached(ctx);
        let Some(url) = &self.issuer.configuration(ctx).await?.revocation_endpoint else {
            return Ok(false);
        };
        let endpoint = self.revocation.get_or_try_init(async || {
            let url = Url::parse(url).map_err(ProviderError::from_source(UNUSABLE))?;
            self.issuer.announced(url, &REVOCATION).await
        });
        let form = [("token", refresh_token.expose_secret()), ("token_type_hint", "refresh_token")];
        let call = endpoint.await?.call(ctx).header(AUTHORIZATION, client.authorization()).form(&form);
        call.execute().await.map_err(ProviderError::from_source("it revoked no token"))?;
        Ok(true)
    }
}
