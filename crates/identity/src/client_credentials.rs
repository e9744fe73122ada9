//! A token by client credentials (RFC 6749, section 4.4), kept until shortly before it ends.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwapOption;
use request_context::{AccessToken, RequestContext};
use tokio::time::{Instant, timeout_at};
use upstream_client::TokenError;

use crate::Provider;
use crate::flight::{Flight, Landing};
use crate::issued::Issued;
use crate::log::in_request;
use crate::pace::Pace;
use crate::provider::{Client, ProviderError};

/// The token of one client. Cheap to clone; clones share it.
#[derive(Clone)]
pub(crate) struct ClientCredentials(Arc<Inner>);

struct Inner {
    provider: Arc<Provider>,
    client: Client,
    issued: ArcSwapOption<Issued>,
    /// The one before: a call may still be under way with it.
    previous: ArcSwapOption<Issued>,
    pace: Mutex<Pace>,
    flight: Flight<Fetched>,
}

type Fetched = Result<AccessToken, Arc<ProviderError>>;

impl ClientCredentials {
    pub(crate) fn new(provider: Arc<Provider>, client: Client) -> Self {
        Self(Arc::new(Inner {
            provider,
            client,
            issued: ArcSwapOption::empty(),
            previous: ArcSwapOption::empty(),
            pace: Mutex::default(),
            flight: Flight::default(),
        }))
    }

    /// Who vouches for the client's account.
    pub(crate) fn realm(&self) -> Arc<str> {
        self.0.provider.realm()
    }

    /// A token that is still good for a call.
    pub(crate) async fn token(&self, ctx: &RequestContext) -> Result<AccessToken, TokenError> {
        let issued = self.0.issued.load_full();
        let Some(usable) = issued.as_ref().filter(|issued| issued.is_usable()) else {
            return self.fetched(ctx, issued.as_ref()).await;
        };
        if usable.is_old() {
            // In the background: the token at hand serves this request.
            self.fetch(ctx, Some(usable));
        }
        Ok(usable.token.clone())
    }

    /// Whether this is the token that it gave last, or the one before.
    pub(crate) fn gave(&self, token: &AccessToken) -> bool {
        let is = |issued: &ArcSwapOption<Issued>| {
            issued.load().as_ref().is_some_and(|issued| issued.token.expose() == token.expose())
        };
        is(&self.0.issued) || is(&self.0.previous)
    }

    /// A token other than `rejected`, which a service has just refused.
    pub(crate) async fn token_after(
        &self,
        ctx: &RequestContext,
        rejected: &AccessToken,
    ) -> Result<AccessToken, TokenError> {
        let issued = self.0.issued.load_full();
        if let Some(usable) = issued.as_ref().filter(|issued| issued.is_usable()) {
            if usable.token.expose() != rejected.expose() {
                return Ok(usable.token.clone());
            }
            if usable.is_too_young() {
                return Err(TokenError::Refused);
            }
        }
        self.fetched(ctx, issued.as_ref()).await
    }

    /// Waits for a token newer than the one that was `seen`, no longer than the request can.
    async fn fetched(
        &self,
        ctx: &RequestContext,
        seen: Option<&Arc<Issued>>,
    ) -> Result<AccessToken, TokenError> {
        let Some(landing) = self.fetch(ctx, seen) else {
            let newer = self.newer_than(seen).map(|issued| issued.token.clone());
            return newer.ok_or_else(|| unavailable("it failed a moment ago and is not asked again yet"));
        };
        match timeout_at(ctx.deadline().instant(), landing.result()).await {
            Ok(Some(result)) => result.map_err(|error| TokenError::Unavailable(Box::new(error))),
            Ok(None) => Err(unavailable("its token could not be read")),
            Err(_) => Err(unavailable("its token did not come in time")),
        }
    }

    /// The fetch that is under way; or a new one, unless one has ended since the caller looked or failed a
    /// moment ago.
    fn fetch(&self, ctx: &RequestContext, seen: Option<&Arc<Issued>>) -> Option<Landing<Fetched>> {
        self.0.flight.join(|| {
            let mut pace = self.pace();
            (self.newer_than(seen).is_none() && pace.has_backed_off()).then(|| {
                pace.begin();
                self.clone().fetch_and_keep(ctx.clone())
            })
        })
    }

    async fn fetch_and_keep(self, ctx: RequestContext) -> Fetched {
        let at = Instant::now();
        let answer = self.0.provider.fetch_token(&ctx, &self.0.client).await;
        let issued = answer.and_then(|answer| Issued::new(answer, at));
        self.pace().end(issued.is_ok());
        match issued {
            Ok(issued) => {
                let token = issued.token.clone();
                let before = self.0.issued.swap(Some(Arc::new(issued)));
                self.0.previous.store(before);
                Ok(token)
            }
            Err(error) => {
                let (client_id, cause) = (&self.0.client.id, error.cause());
                in_request!(warn, ctx, client_id, %error, cause, "no token by client credentials");
                Err(Arc::new(error))
            }
        }
    }

    fn newer_than(&self, seen: Option<&Arc<Issued>>) -> Option<Arc<Issued>> {
        let issued = self.0.issued.load_full()?;
        let is_newer = seen.is_none_or(|seen| !Arc::ptr_eq(seen, &issued));
        is_newer.then_some(issued)
    }

    fn pace(&self) -> MutexGuard<'_, Pace> {
        self.0.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unavailable(what: &'static str) -> TokenError {
    TokenError::Unavailable(Box::new(ProviderError::new(what)))
}
