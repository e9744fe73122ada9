//! Requests and credentials out of thin air.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use request_context::{AccessToken, Caller, Deadline, RequestContext, RequestId, Scopes, Subject, Trace};
use upstream_client::{Credential, TokenError, TokenSource};

/// A request of `u_42` with two seconds left.
pub fn context() -> RequestContext {
    context_with(Duration::from_secs(2))
}

/// A request of `u_42` with this much time left.
pub fn context_with(left: Duration) -> RequestContext {
    RequestContext::new(RequestId::generate(), Trace::start(), Deadline::after(left))
        .with_caller(caller("u_42"))
}

/// A verified caller.
pub fn caller(subject: &str) -> Caller {
    Caller {
        realm: "https://id.example".into(),
        subject: Subject::parse(subject).expect("a subject"),
        scopes: Scopes::parse("openid"),
        token: AccessToken::new(format!("token-of-{subject}")),
    }
}

/// Passes the caller's token on, has `service-token` for the service, and `fresh-token` after a refusal.
pub fn fixed_tokens() -> Arc<dyn TokenSource> {
    Arc::new(FixedTokens)
}

struct FixedTokens;

impl TokenSource for FixedTokens {
    fn token<'a>(
        &'a self,
        ctx: &'a RequestContext,
        credential: Credential,
        _: &'static str,
        rejected: Option<&'a AccessToken>,
    ) -> BoxFuture<'a, Result<AccessToken, TokenError>> {
        let token = match (rejected, credential, ctx.caller()) {
            (Some(_), ..) => Ok(AccessToken::new("fresh-token")),
            (None, Credential::Caller, Some(caller)) => Ok(caller.token.clone()),
            (None, Credential::Caller, None) => Err(TokenError::Refused),
            (None, ..) => Ok(AccessToken::new("service-token")),
        };
        Box::pin(std::future::ready(token))
    }
}
