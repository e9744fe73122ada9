//! The demo identity provider: OAuth 2.0 and OpenID Connect in memory. For development only: its secrets are public,
//! and anyone may be anyone.

mod authorize;
mod backchannel;
mod clients;
mod codes;
mod discovery;
mod exchange;
mod expiring;
mod families;
mod issue;
mod oauth_error;
mod page;
mod parameters;
mod revoke;
mod secret;
mod sessions;
mod sign_out;
mod token;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

use crate::Options;
use crate::state::Shop;
use crate::tokens::{SigningKey, Verifier};

/// The grant that scripts use instead of a sign-in.
const DEMO_USER: &str = "urn:triptych:demo:user";
const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// The provider: its key, the name it has in tokens, and whom it knows.
pub(crate) struct Provider {
    key: SigningKey,
    verifier: Verifier,
    issuer: String,
    /// Of an access token, in seconds.
    lifetime: i64,
    pass_through: bool,
    redirect_uris: Vec<String>,
    shop: Arc<Shop>,
    codes: codes::Codes,
    families: families::Families,
    sessions: sessions::Sessions,
    backchannel: backchannel::Backchannel,
}

impl Provider {
    pub(crate) fn new(options: &Options, shop: &Arc<Shop>) -> Self {
        let key = SigningKey::derived_from(options.seed);
        Self {
            verifier: Verifier::new(&key, &options.issuer),
            key,
            issuer: options.issuer.clone(),
            lifetime: i64::try_from(options.token_lifetime.as_secs()).unwrap_or(i64::MAX / 2),
            pass_through: options.pass_through,
            redirect_uris: options.redirect_uri.clone(),
            shop: shop.clone(),
            codes: codes::Codes::new(),
            families: families::Families::new(),
            sessions: sessions::Sessions::new(),
            backchannel: backchannel::Backchannel::new(&options.backchannel_logout_uri),
        }
    }

    /// What checks the provider's tokens, without asking it.
    pub(crate) fn verifier(&self) -> Verifier {
        Verifier::new(&self.key, &self.issuer)
    }
}

/// What the provider answers.
pub(crate) fn routes() -> Router<Arc<Provider>> {
    Router::new()
        .route("/.well-known/openid-configuration", get(discovery::configuration))
        .route("/jwks", get(discovery::keys))
        .route("/authorize", get(authorize::authorize).post(authorize::authorize))
        .route("/token", post(token::token))
        .route("/revoke", post(revoke::revoke))
        .route("/end-session", get(sign_out::end_session).post(sign_out::end_session))
}

/// What helps to show things by hand.
pub(crate) fn bench(provider: &Arc<Provider>) -> Router {
    Router::new().route("/_sign-out", post(sign_out::sign_out)).with_state(provider.clone())
}
