//! Bearer tokens (RFC 6750): a user's token comes in and speaks for them to the services behind us.

use std::sync::Arc;

use http::HeaderMap;
use http::header::AUTHORIZATION;
use http::request::Parts;
use jiff::Timestamp;
use jsonwebtoken::Algorithm;
use problem::Problem;
use request_context::{AccessToken, Authenticate, Caller, RequestContext};

use crate::jwt::Rules;
use crate::keys::Keys;
use crate::rejection::{BEARER, Fault, Rejection};
use crate::verified::Verified;
use crate::{Provider, require_scope};

/// The longest token that is looked at, in bytes.
const MAX_TOKEN: usize = 8 << 10;

const INSUFFICIENT_SCOPE: &str = r#"Bearer realm="triptych", error="insufficient_scope""#;

/// Identifies callers by their bearer tokens. Cheap to clone; clones share what was learned.
#[derive(Clone)]
pub struct Bearer(Arc<Inner>);

struct Inner {
    realm: Arc<str>,
    rules: Rules,
    keys: Keys,
    verified: Verified,
}

impl Bearer {
    /// Takes tokens that `provider` issued for this service.
    pub fn new(provider: &Arc<Provider>) -> Self {
        let pinned = provider.settings().algorithms.iter();
        let algorithms: Vec<_> = pinned.map(|algorithm| Algorithm::from(*algorithm)).collect();
        Self(Arc::new(Inner {
            realm: provider.realm(),
            rules: Rules::new(provider, &algorithms),
            keys: Keys::new(provider.clone(), algorithms),
            verified: Verified::new(),
        }))
    }

    /// Fetches the provider's keys in the background, so that the first request finds them.
    /// Must be called in a tokio runtime.
    pub fn warm(&self) {
        self.0.keys.warm();
    }

    /// As [`require_scope`], with the challenge that belongs to bearer tokens (RFC 6750, section 3.1).
    pub fn require_scope(ctx: &RequestContext, scope: &'static str) -> Result<(), Problem> {
        require_scope(ctx, scope).map_err(|problem| problem.challenge(INSUFFICIENT_SCOPE))
    }

    async fn identify(&self, ctx: &RequestContext, headers: &HeaderMap) -> Result<Caller, Rejection> {
        let Inner { realm, rules, keys, verified } = &*self.0;
        let token = credential(headers)?;
        let digest = Verified::digest(token);
        let known = |generation| verified.get(&digest, generation, Timestamp::now());
        if let Some(caller) = keys.generation(ctx).and_then(known) {
            return Ok(caller);
        }
        let grant = rules.verify(ctx, keys, token).await?;
        let caller = Caller {
            realm: Arc::clone(realm),
            subject: grant.subject,
            scopes: grant.scopes,
            token: AccessToken::new(token),
        };
        verified.insert(digest, caller.clone(), grant.ends, grant.generation);
        Ok(caller)
    }
}

impl Authenticate for Bearer {
    type Refusal = Problem;

    /// Who sent these headers: `401` with a challenge if nobody that we know, `503` if the provider's keys
    /// are needed and cannot be had.
    async fn authenticate(&self, ctx: &RequestContext, head: &Parts) -> Result<Caller, Problem> {
        let caller = self.identify(ctx, &head.headers).await;
        caller.map_err(|rejection| rejection.into_problem(ctx, &BEARER))
    }
}

/// The token of the one `Authorization` header. Another scheme is no credential of ours.
fn credential(headers: &HeaderMap) -> Result<&str, Rejection> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().ok_or(Rejection::Missing)?;
    if values.next().is_some() {
        return Err(Fault::Doubled.into());
    }
    let value = value.to_str().map_err(|_| Fault::Malformed)?;
    let (scheme, token) = value.split_once(' ').ok_or(Rejection::Missing)?;
    if !scheme.eq_ignore_ascii_case("Bearer") {
        return Err(Rejection::Missing);
    }
    let token = token.trim_matches(' ');
    if token.len() > MAX_TOKEN {
        return Err(Fault::Oversized.into());
    }
    Ok(token)
}
