//! Access tokens: as a bearer token (RFC 6750), or with a proof that whoever sends it may (RFC 9449). A user's token
//! comes in and speaks for them to the services behind us.

use std::sync::Arc;

use http::HeaderMap;
use http::header::AUTHORIZATION;
use http::request::Parts;
use jiff::Timestamp;
use jsonwebtoken::Algorithm;
use problem::Problem;
use request_context::{AccessToken, Authenticate, Caller, PublicUrl, RequestContext};
use store::SharedStore;

use crate::dpop::Proofs;
use crate::issuer::Issuer;
use crate::jwt::{Rules, Unverified};
use crate::keys::Keys;
use crate::observe::Credentials;
use crate::rejection::{BEARER, DPOP, Fault, PROOF, Rejection, Scheme};
use crate::verified::{Digest, Entry, Verified};
use crate::{DpopMode, Provider, require_scope};

/// The longest token that is looked at, in bytes.
const MAX_TOKEN: usize = 8 << 10;

/// Identifies callers by their access tokens. Cheap to clone; clones share what was learned.
#[derive(Clone)]
pub struct Bearer(Arc<Inner>);

struct Inner {
    issuers: Vec<Trusted>,
    verified: Verified,
    proofs: Proofs,
    dpop: DpopMode,
    credentials: Arc<Credentials>,
}

/// An issuer whose tokens are taken.
struct Trusted {
    realm: Arc<str>,
    rules: Rules,
    keys: Keys,
}

/// The `Authorization` of a request.
struct Credential<'a> {
    with_proof: bool,
    token: &'a str,
}

impl Bearer {
    /// Takes tokens that `provider`, or another issuer of its settings, issued for this service. Clients know the
    /// service by `public_url`, which proofs of possession name; `store` remembers those.
    pub fn new(provider: &Provider, public_url: &PublicUrl, store: &SharedStore) -> Self {
        let settings = provider.settings();
        Self(Arc::new(Inner {
            issuers: provider.issuers().map(Trusted::new).collect(),
            verified: Verified::new(),
            proofs: Proofs::new(public_url, settings.dpop_leeway, store),
            dpop: settings.dpop,
            credentials: Arc::default(),
        }))
    }

    /// Fetches the issuers' keys in the background, so that the first request finds them.
    /// Must be called in a tokio runtime.
    pub fn warm(&self) {
        self.0.issuers.iter().for_each(|issuer| issuer.keys.warm());
    }

    pub(crate) fn credentials(&self) -> &Arc<Credentials> {
        &self.0.credentials
    }

    /// As [`require_scope`], with the challenge that belongs to the scheme of these headers, which names the scope
    /// (RFC 6750, section 3.1; RFC 9449, section 7.1).
    pub fn require_scope(
        ctx: &RequestContext,
        headers: &HeaderMap,
        scope: &'static str,
    ) -> Result<(), Problem> {
        let with_proof = credential(headers).is_ok_and(|credential| credential.with_proof);
        let scheme = if with_proof { "DPoP" } else { "Bearer" };
        let challenge =
            || format!(r#"{scheme} realm="triptych", error="insufficient_scope", scope="{scope}""#);
        require_scope(ctx, scope).map_err(|problem| problem.challenge(challenge()))
    }

    /// Whose token it is, and that it came the way it must. A proof is looked at last and with every request: that the
    /// token is known says nothing of who sends it.
    async fn identify(
        &self,
        ctx: &RequestContext,
        head: &Parts,
        Credential { with_proof, token }: &Credential<'_>,
    ) -> Result<Caller, Rejection> {
        let digest = Verified::digest(token);
        let Entry { caller, bound_to, .. } = self.known(ctx, token, digest).await?;
        match (with_proof, bound_to) {
            (false, None) if self.0.dpop == DpopMode::Accepted => {}
            (_, None) => return Err(Fault::Unbound.into()),
            (false, Some(_)) => return Err(Fault::ProofMissing.into()),
            (true, Some(thumbprint)) => self.0.proofs.check(head, &digest, &thumbprint).await?,
        }
        Ok(caller)
    }

    /// What the token says, from memory or from its issuer's keys.
    async fn known(&self, ctx: &RequestContext, token: &str, digest: Digest) -> Result<Entry, Rejection> {
        let Inner { issuers, verified, .. } = &*self.0;
        let generation = |issuer: usize| issuers[issuer].keys.generation(ctx);
        if let Some(entry) = verified.get(&digest, generation, Timestamp::now()) {
            return Ok(entry);
        }
        let unverified = Unverified::read(token)?;
        let named = issuers.iter().position(|issuer| *issuer.realm == unverified.issuer);
        let named = named.ok_or(Fault::WrongIssuer)?;
        let Trusted { realm, rules, keys } = &issuers[named];
        let grant = rules.verify(ctx, keys, &unverified).await?;
        let caller = Caller {
            realm: Arc::clone(realm),
            subject: grant.subject,
            scopes: grant.scopes,
            token: AccessToken::new(token),
        };
        let (ends, generation) = (grant.ends, grant.generation);
        let entry = Entry { caller, bound_to: grant.bound_to, ends, issuer: named, generation };
        verified.insert(digest, entry.clone());
        Ok(entry)
    }

    /// The challenges for a request that was turned down.
    fn scheme(&self, credential: Option<&Credential<'_>>, rejection: &Rejection) -> &'static Scheme {
        let with_proof = credential.is_some_and(|credential| credential.with_proof);
        match rejection {
            Rejection::Bad(Fault::Proof(_)) => &PROOF,
            _ if with_proof || self.0.dpop == DpopMode::Required => &DPOP,
            Rejection::Bad(Fault::ProofMissing) => &DPOP,
            _ => &BEARER,
        }
    }
}

impl Trusted {
    fn new(issuer: &Arc<Issuer>) -> Self {
        let pinned = issuer.settings().algorithms.iter();
        let algorithms: Vec<_> = pinned.map(|algorithm| Algorithm::from(*algorithm)).collect();
        Self {
            realm: issuer.realm(),
            rules: Rules::new(issuer, &algorithms),
            keys: Keys::new(Arc::clone(issuer), algorithms),
        }
    }
}

impl Authenticate for Bearer {
    type Refusal = Problem;

    /// Who sent a request with this head: `401` with a challenge if nobody that we know, `503` if an issuer's keys or
    /// the store are needed and cannot be had.
    async fn authenticate(&self, ctx: &RequestContext, head: &Parts) -> Result<Caller, Problem> {
        let problem = |credential: Option<&_>, rejection: Rejection| {
            let scheme = self.scheme(credential, &rejection);
            rejection.into_problem(ctx, scheme)
        };
        let credential = credential(&head.headers).map_err(|rejection| {
            self.0.credentials.turned_down(&rejection);
            problem(None, rejection)
        })?;
        let caller = self.identify(ctx, head, &credential).await;
        self.0.credentials.led_to(&caller);
        caller.map_err(|rejection| problem(Some(&credential), rejection))
    }
}

/// The one `Authorization` header. Another scheme is no credential of ours.
fn credential(headers: &HeaderMap) -> Result<Credential<'_>, Rejection> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().ok_or(Rejection::Missing)?;
    if values.next().is_some() {
        return Err(Fault::Doubled.into());
    }
    let value = value.to_str().map_err(|_| Fault::Malformed)?;
    let (scheme, token) = value.split_once(' ').ok_or(Rejection::Missing)?;
    let with_proof = scheme.eq_ignore_ascii_case("DPoP");
    if !with_proof && !scheme.eq_ignore_ascii_case("Bearer") {
        return Err(Rejection::Missing);
    }
    let token = token.trim_matches(' ');
    if token.len() > MAX_TOKEN {
        return Err(Fault::Oversized.into());
    }
    Ok(Credential { with_proof, token })
}
