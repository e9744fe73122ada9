//! API keys: `tpk_<id>_<secret>` stands for a partner's account.

use std::collections::HashMap;
use std::sync::Arc;

use http::request::Parts;
use http::{HeaderMap, HeaderName};
use jiff::Timestamp;
use problem::Problem;
use request_context::{Authenticate, Caller, RequestContext, Scopes, Subject};
use subtle::ConstantTimeEq;

use crate::client_credentials::ClientCredentials;
use crate::rejection::{API_KEY, Fault, Rejection};
use crate::{Accounts, ApiKeySettings, Partners, SecretHash};

/// `X-API-Key`.
pub const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");

const PREFIX: &str = "tpk_";
/// The longest key that is looked at, in bytes.
const MAX_KEY: usize = 512;
/// What the secret of an unknown key is compared with, so that it takes as long as a known one's.
const NO_HASH: SecretHash = SecretHash([0; 32]);

/// Identifies partners by their API keys. Cheap to clone.
#[derive(Clone)]
pub struct ApiKeys(Arc<HashMap<String, Key>>);

struct Key {
    sha256: SecretHash,
    expires_at: Option<Timestamp>,
    scopes: Scopes,
    account: Subject,
    credentials: ClientCredentials,
}

impl ApiKeys {
    /// The keys of `partners`, which stand for these `accounts`.
    pub fn new(partners: &Partners, accounts: &Accounts) -> Self {
        let mut keys = HashMap::new();
        for partner in partners.iter() {
            let account = partner.subject();
            let credentials = accounts.of(&account).expect("the accounts are those of the same partners");
            for key in &partner.keys {
                keys.insert(key.id.clone(), Key::new(key, account.clone(), credentials.clone()));
            }
        }
        Self(Arc::new(keys))
    }

    async fn identify(&self, ctx: &RequestContext, headers: &HeaderMap) -> Result<Caller, Rejection> {
        let (id, secret) = credential(headers)?;
        let key = self.verified(id, secret)?;
        let token = key.credentials.token(ctx).await;
        let token = token.map_err(|error| Rejection::Unavailable(Arc::new(error)))?;
        let (realm, subject) = (key.credentials.realm(), key.account.clone());
        Ok(Caller { realm, subject, scopes: key.scopes.clone(), token })
    }

    /// An unknown id and a wrong secret do the same work and look the same.
    fn verified(&self, id: &str, secret: &str) -> Result<&Key, Fault> {
        let key = self.0.get(id);
        let expected = key.map_or(&NO_HASH, |key| &key.sha256);
        let hash = SecretHash::of(secret);
        let matches = bool::from(hash.0.ct_eq(&expected.0));
        let key = key.filter(|_| matches).ok_or(Fault::WrongSecret)?;
        let expired = key.expires_at.is_some_and(|at| Timestamp::now() >= at);
        if expired { Err(Fault::Expired) } else { Ok(key) }
    }
}

impl Authenticate for ApiKeys {
    type Refusal = Problem;

    /// Who sent these headers: `401` if nobody that we know, `503` if the account's token is needed and
    /// cannot be had.
    async fn authenticate(&self, ctx: &RequestContext, head: &Parts) -> Result<Caller, Problem> {
        let caller = self.identify(ctx, &head.headers).await;
        caller.map_err(|rejection| rejection.into_problem(ctx, &API_KEY))
    }
}

impl Key {
    fn new(settings: &ApiKeySettings, account: Subject, credentials: ClientCredentials) -> Self {
        Self {
            sha256: settings.sha256,
            expires_at: settings.expires_at,
            scopes: Scopes::parse(&settings.scopes.join(" ")),
            account,
            credentials,
        }
    }
}

/// Id and secret of the one `X-API-Key` header.
fn credential(headers: &HeaderMap) -> Result<(&str, &str), Rejection> {
    let mut values = headers.get_all(X_API_KEY).iter();
    let value = values.next().ok_or(Rejection::Missing)?;
    if values.next().is_some() {
        return Err(Fault::Doubled.into());
    }
    if value.len() > MAX_KEY {
        return Err(Fault::Oversized.into());
    }
    let key = value.to_str().map_err(|_| Fault::Malformed)?;
    let parts = key.strip_prefix(PREFIX).and_then(|key| key.split_once('_'));
    Ok(parts.ok_or(Fault::Malformed)?)
}
