//! The credential of a call, and one fresh one when the service refuses it.

use request_context::AccessToken;
use tower::ServiceExt;

use super::Next;
use crate::Credential;
use crate::answer::Reply;
use crate::call::{Call, Facts, Reason, Step};
use crate::error::{CallErrorKind, Failure};
use crate::outcome::Outcome;
use crate::token::TokenError;

layer! {
    /// Sends `Authorization: Bearer` along, unless the operation is called as nobody.
    Authorize: Reply => Reply = authorized
}

async fn authorized<S: Next<Reply>>(next: S, mut call: Call) -> Result<Reply, Failure> {
    let facts = call.facts.clone();
    if facts.operation.credential == Credential::Nobody {
        return next.oneshot(call).await;
    }
    let token = token(&facts, None).await.inspect_err(|failure| {
        Step::begin(&facts, call.deadline).ended(Outcome::of_failure(failure), None);
    })?;
    call.authorization = Some(authorization(&token)?);
    let refused = match next.clone().oneshot(call.clone()).await {
        Err(failure) if failure.kind == CallErrorKind::Unauthorized => failure,
        outcome => return outcome,
    };
    let fresh = self::token(&facts, Some(&token)).await?;
    call.authorization = Some(authorization(&fresh)?);
    if !facts.upstream.budget().withdraw() {
        return Err(refused);
    }
    next.oneshot(call.again(Reason::FreshToken)).await
}

async fn token(facts: &Facts, rejected: Option<&AccessToken>) -> Result<AccessToken, Failure> {
    let tokens = facts.upstream.tokens();
    let token = tokens.token(&facts.ctx, facts.operation.credential, facts.upstream.name(), rejected).await;
    token.map_err(|error| {
        let kind = match &error {
            TokenError::Unavailable(_) => CallErrorKind::Unavailable,
            TokenError::Refused => CallErrorKind::Unauthorized,
        };
        Failure::caused_by(kind, error)
    })
}

fn authorization(token: &AccessToken) -> Result<http::HeaderValue, Failure> {
    token.authorization().ok_or_else(|| Failure::new(CallErrorKind::Unauthorized))
}
