//! What the provider announces about itself: asked for when it is needed, by one at a time, and after a
//! failure not before a pause.

use std::sync::{Arc, Mutex, PoisonError};

use request_context::RequestContext;
use tokio::time::timeout_at;
use url::Url;

use crate::Provider;
use crate::flight::Flight;
use crate::issuer::Configuration;
use crate::log::in_request;
use crate::pace::Pace;
use crate::provider::ProviderError;

pub(super) struct Metadata {
    provider: Arc<Provider>,
    pace: Arc<Mutex<Pace>>,
    flight: Flight<Result<Announced, Arc<ProviderError>>>,
}

/// The provider's configuration. Cheap to clone.
#[derive(Clone)]
pub(super) struct Announced(Arc<Configuration>);

impl Metadata {
    pub(super) fn new(provider: Arc<Provider>) -> Self {
        Self { provider, pace: Arc::default(), flight: Flight::default() }
    }

    /// The configuration, waiting for it no longer than the request can.
    pub(super) async fn get(&self, ctx: &RequestContext) -> Result<Announced, Arc<ProviderError>> {
        if let Some(known) = self.provider.issuer().known_configuration() {
            return Ok(Announced(known.clone()));
        }
        let landing = self.flight.join(|| {
            let mut pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
            pace.has_backed_off().then(|| {
                pace.begin();
                fetch(self.provider.clone(), self.pace.clone(), ctx.clone())
            })
        });
        let landing = landing.ok_or_else(|| problem("it was asked too recently to be asked again"))?;
        match timeout_at(ctx.deadline().instant(), landing.result()).await {
            Ok(Some(result)) => result,
            Ok(None) => Err(problem("its configuration could not be read")),
            Err(_) => Err(problem("its configuration did not come in time")),
        }
    }
}

async fn fetch(
    provider: Arc<Provider>,
    pace: Arc<Mutex<Pace>>,
    ctx: RequestContext,
) -> Result<Announced, Arc<ProviderError>> {
    let found = provider.issuer().configuration(&ctx).await;
    pace.lock().unwrap_or_else(PoisonError::into_inner).end(found.is_ok());
    match found {
        Ok(found) => Ok(Announced(found.clone())),
        Err(error) => {
            in_request!(warn, ctx, %error, cause = error.cause(), "identity provider's configuration not fetched");
            Err(Arc::new(error))
        }
    }
}

impl Announced {
    pub(super) fn authorization_endpoint(&self, provider: &Provider) -> Result<Url, Arc<ProviderError>> {
        let url = self.0.authorization_endpoint.as_deref();
        let url = url.ok_or_else(|| problem("it announces no authorization endpoint"))?;
        provider.issuer().front_channel(url).map_err(Arc::new)
    }

    /// `None` if there is none that can be used.
    pub(super) fn end_session_endpoint(&self, provider: &Provider) -> Option<Url> {
        provider.issuer().front_channel(self.0.end_session_endpoint.as_deref()?).ok()
    }

    /// Whether its answers to a sign-in always name it (RFC 9207, section 3).
    pub(super) fn names_issuer(&self) -> bool {
        self.0.authorization_response_iss_parameter_supported
    }
}

fn problem(what: &'static str) -> Arc<ProviderError> {
    Arc::new(ProviderError::new(what))
}
