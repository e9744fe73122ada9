//! The credential of a call, and one fresh one when the service refuses it.

use std::sync::Arc;
use std::task::{Context, Poll};

use futures::future::BoxFuture;
use http::StatusCode;
use request_context::AccessToken;
use tower::{Layer, Service};

use crate::Credential;
use crate::answer::Answer;
use crate::call::Call;
use crate::error::{CallErrorKind, Failure};
use crate::token::{TokenError, TokenSource};

/// Sends `Authorization: Bearer` along, unless the operation is called as nobody.
#[derive(Clone)]
pub(crate) struct AuthorizeLayer(Arc<dyn TokenSource>);

/// The service of [`AuthorizeLayer`].
#[derive(Clone)]
pub(crate) struct Authorize<S> {
    tokens: Arc<dyn TokenSource>,
    inner: S,
}

impl AuthorizeLayer {
    pub(crate) fn new(tokens: Arc<dyn TokenSource>) -> Self {
        Self(tokens)
    }
}

impl<S> Layer<S> for AuthorizeLayer {
    type Service = Authorize<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Authorize { tokens: self.0.clone(), inner }
    }
}

impl<S> Service<Call> for Authorize<S>
where
    S: Service<Call, Response = Answer, Error = Failure> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Answer;
    type Error = Failure;
    type Future = BoxFuture<'static, Result<Answer, Failure>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, call: Call) -> Self::Future {
        if call.facts.operation.credential == Credential::Nobody {
            return Box::pin(self.inner.call(call));
        }
        // The clone goes into the future; the one that was polled ready is the one that is called.
        let unready = self.inner.clone();
        let ready = std::mem::replace(&mut self.inner, unready);
        Box::pin(authorized(self.tokens.clone(), ready, call))
    }
}

async fn authorized<S>(tokens: Arc<dyn TokenSource>, mut service: S, call: Call) -> Result<Answer, Failure>
where
    S: Service<Call, Response = Answer, Error = Failure>,
{
    let token = token(&*tokens, &call, None).await?;
    let answer = service.call(with(call.clone(), &token)?).await?;
    if answer.status != StatusCode::UNAUTHORIZED {
        return Ok(answer);
    }
    let fresh = self::token(&*tokens, &call, Some(&token)).await?;
    std::future::poll_fn(|cx| service.poll_ready(cx)).await?;
    service.call(with(call, &fresh)?).await
}

async fn token(
    tokens: &dyn TokenSource,
    call: &Call,
    rejected: Option<&AccessToken>,
) -> Result<AccessToken, Failure> {
    let facts = &*call.facts;
    let token = tokens.token(&facts.ctx, facts.operation.credential, facts.audience, rejected).await;
    token.map_err(|error| {
        let kind = match &error {
            TokenError::Unavailable(_) => CallErrorKind::Unavailable,
            TokenError::Refused => CallErrorKind::Unauthorized,
        };
        Failure::caused_by(kind, error)
    })
}

fn with(mut call: Call, token: &AccessToken) -> Result<Call, Failure> {
    let value = token.authorization().ok_or_else(|| Failure::new(CallErrorKind::Unauthorized))?;
    call.authorization = Some(value);
    Ok(call)
}
