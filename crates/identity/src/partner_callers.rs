//! Partners come with an API key, or with an access token that their own machine got by client credentials.

use std::sync::Arc;

use http::HeaderMap;
use http::StatusCode;
use http::header::AUTHORIZATION;
use http::request::Parts;
use problem::{Problem, kind};
use request_context::{Authenticate, Caller, RequestContext};

use crate::failures::Failures;
use crate::{Accounts, ApiKeys, Bearer, X_API_KEY, audit};

/// To whoever comes with no credential, or with two.
const CHALLENGES: &str = r#"ApiKey realm="triptych", Bearer realm="triptych""#;

/// Identifies partners by either credential. Cheap to clone.
#[derive(Clone)]
pub struct PartnerCallers {
    keys: ApiKeys,
    bearer: Bearer,
    accounts: Arc<Accounts>,
    failures: Failures,
}

/// Which credential a request has.
enum Credential {
    None,
    Key,
    Token,
    Both,
}

impl PartnerCallers {
    /// Partners with these keys, or with tokens for these accounts.
    pub fn new(keys: ApiKeys, bearer: Bearer, accounts: Arc<Accounts>) -> Self {
        Self { keys, bearer, accounts, failures: Failures::default() }
    }

    pub(crate) fn keys(&self) -> &ApiKeys {
        &self.keys
    }

    pub(crate) fn bearer(&self) -> &Bearer {
        &self.bearer
    }

    /// A token may be sound and its subject no partner's account: then it is `403`, since another token of the same
    /// subject would change nothing.
    async fn by_token(&self, ctx: &RequestContext, head: &Parts) -> Result<Caller, Problem> {
        let caller = self.bearer.authenticate(ctx, head).await?;
        // Another issuer may have a subject of the same name.
        if self.accounts.of(&caller.subject).is_some_and(|account| account.realm() == caller.realm) {
            return Ok(caller);
        }
        audit::refused(ctx, "bearer", "NoPartner");
        Err(Problem::new(kind::FORBIDDEN).detail("The token is not that of a partner's account."))
    }

    /// What a bad credential is told. A good one is never held up by the bad ones that came from its address: to look
    /// at it costs one hash, and nobody guesses 256 bits.
    fn failed(&self, ctx: &RequestContext, problem: Problem) -> Problem {
        if problem.status() != StatusCode::UNAUTHORIZED {
            return problem;
        }
        let Some(wait) = self.failures.wait(ctx.client()) else {
            self.failures.count(ctx.client());
            return problem;
        };
        let detail = "Too many credentials from this address were bad.";
        Problem::new(kind::TOO_MANY_REQUESTS).detail(detail).retry_after(wait)
    }
}

impl Authenticate for PartnerCallers {
    type Refusal = Problem;

    /// Whose key or token these headers have: `401` if nobody's, `429` for a bad one after too many of them.
    async fn authenticate(&self, ctx: &RequestContext, head: &Parts) -> Result<Caller, Problem> {
        let unauthenticated = || Problem::new(kind::UNAUTHENTICATED).challenge(CHALLENGES);
        let caller = match Credential::of(&head.headers) {
            Credential::None => return Err(unauthenticated()),
            Credential::Both => {
                return Err(unauthenticated().detail("Send X-API-Key or Authorization, not both."));
            }
            Credential::Key => self.keys.authenticate(ctx, head).await,
            Credential::Token => self.by_token(ctx, head).await,
        };
        caller.map_err(|problem| self.failed(ctx, problem))
    }
}

impl Credential {
    fn of(headers: &HeaderMap) -> Self {
        match (headers.contains_key(X_API_KEY), headers.contains_key(AUTHORIZATION)) {
            (false, false) => Self::None,
            (true, false) => Self::Key,
            (false, true) => Self::Token,
            (true, true) => Self::Both,
        }
    }
}
