//! API keys: `tpk_<id>_<secret>` stands for a partner's account.
//!
//! The keys are in a file of their own, which holds no secret: only the SHA-256 of each. It is read again when it
//! changes, so that a key is given out, replaced or revoked while the service runs.

mod edit;
mod file;
mod hash;
mod table;
mod watch;

use std::sync::Arc;

use arc_swap::ArcSwap;
use http::request::Parts;
use http::{HeaderMap, HeaderName};
use jiff::Timestamp;
use problem::Problem;
use request_context::{Authenticate, Caller, RequestContext};

pub use edit::{IssuedKey, KeyFile, NewKey};
pub use file::{ApiKey, KeyFileError, KeyState};
pub use hash::SecretHash;

use crate::observe::Credentials;
use crate::rejection::{API_KEY, Fault, Rejection};
use crate::{Accounts, ApiKeysSettings, Partners, audit};
use file::{Contents, Rules};
use table::Table;
use watch::Watch;

/// `X-API-Key`.
pub const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");

const PREFIX: &str = "tpk_";
/// The longest key that is looked at, in bytes.
const MAX_KEY: usize = 512;

/// Identifies partners by their API keys. Cheap to clone; clones know the same keys.
#[derive(Clone)]
pub struct ApiKeys(Arc<Inner>);

struct Inner {
    table: ArcSwap<Table>,
    rules: Rules,
    accounts: Arc<Accounts>,
    watch: Option<Watch>,
    credentials: Arc<Credentials>,
}

impl ApiKeys {
    /// The keys of these partners, which may have these `scopes` and no others, as their file has them now.
    pub fn open(
        settings: &ApiKeysSettings,
        partners: &Partners,
        accounts: &Arc<Accounts>,
        scopes: &[&'static str],
    ) -> Result<Self, KeyFileError> {
        let rules = Rules::new(partners, scopes);
        let contents = settings.file.as_deref().map(Contents::read).transpose()?;
        let keys =
            contents.as_ref().map(|contents| contents.checked(&rules, Timestamp::now())).transpose()?;
        let table = Table::new(keys.unwrap_or_default(), &rules, accounts);
        let watch = contents.map(|contents| Watch::new(&contents, settings.look_every));
        let (table, accounts) = (ArcSwap::from_pointee(table), Arc::clone(accounts));
        Ok(Self(Arc::new(Inner { table, rules, accounts, watch, credentials: Arc::default() })))
    }

    pub(crate) fn credentials(&self) -> &Arc<Credentials> {
        &self.0.credentials
    }

    /// Looks at the file from now on, until nobody has these keys any more. Must be called in a tokio runtime.
    pub fn watch(&self) {
        if let Some(watch) = &self.0.watch {
            tokio::spawn(watch.clone().run(Arc::downgrade(&self.0)));
        }
    }

    async fn identify(&self, ctx: &RequestContext, headers: &HeaderMap) -> Result<Caller, Rejection> {
        let (id, secret) = credential(headers)?;
        let table = self.0.table.load_full();
        let key = table.verified(id, secret, Timestamp::now())?;
        audit::key_used(ctx, id, &key.partner);
        let token = key.credentials.token(ctx).await;
        let token = token.map_err(|error| Rejection::Unavailable(Arc::new(error)))?;
        let (realm, subject) = (key.credentials.realm(), key.account.clone());
        Ok(Caller { realm, subject, scopes: key.scopes.clone(), token })
    }
}

impl Authenticate for ApiKeys {
    type Refusal = Problem;

    /// Who sent these headers: `401` if nobody that we know, `503` if the account's token is needed and
    /// cannot be had.
    async fn authenticate(&self, ctx: &RequestContext, head: &Parts) -> Result<Caller, Problem> {
        let caller = self.identify(ctx, &head.headers).await;
        self.0.credentials.led_to(&caller);
        caller.map_err(|rejection| rejection.into_problem(ctx, &API_KEY))
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
