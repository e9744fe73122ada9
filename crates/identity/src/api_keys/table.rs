//! The keys as requests look them up.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;
use request_context::{Scopes, Subject};
use subtle::ConstantTimeEq;

use super::SecretHash;
use super::file::{ApiKey, KeyState, Rules};
use crate::Accounts;
use crate::client_credentials::ClientCredentials;
use crate::rejection::Fault;

/// What the secret of an unknown key is compared with, so that it takes as long as a known one's.
const NO_HASH: SecretHash = SecretHash([0; 32]);

pub(super) struct Table(HashMap<String, Key>);

pub(super) struct Key {
    entry: ApiKey,
    pub(super) partner: String,
    pub(super) scopes: Scopes,
    pub(super) account: Subject,
    pub(super) credentials: ClientCredentials,
}

impl Table {
    /// Keys whose partner is gone stand for nobody.
    pub(super) fn new(keys: Vec<ApiKey>, rules: &Rules, accounts: &Accounts) -> Self {
        let key = |entry: ApiKey| {
            let account = rules.account(&entry.partner)?;
            let credentials = accounts.of(account)?.clone();
            let (partner, scopes) = (entry.partner.clone(), Scopes::parse(&entry.scopes.join(" ")));
            let id = entry.id.clone();
            Some((id, Key { entry, partner, scopes, account: account.clone(), credentials }))
        };
        Self(keys.into_iter().filter_map(key).collect())
    }

    /// An unknown id and a wrong secret do the same work and look the same.
    pub(super) fn verified(&self, id: &str, secret: &str, now: Timestamp) -> Result<&Key, Fault> {
        let key = self.0.get(id);
        let expected = key.map_or(&NO_HASH, |key| &key.entry.sha256);
        let hash = SecretHash::of(secret);
        let matches = bool::from(hash.0.ct_eq(&expected.0));
        let key = key.filter(|_| matches).ok_or(Fault::WrongSecret)?;
        match key.entry.state(now) {
            KeyState::Active => Ok(key),
            KeyState::Expired => Err(Fault::Expired),
            KeyState::Revoked => Err(Fault::Revoked),
        }
    }

    /// The ids that are good now.
    pub(super) fn active(&self, now: Timestamp) -> BTreeSet<&str> {
        let active = self.0.values().filter(|key| key.entry.state(now) == KeyState::Active);
        active.map(|key| key.entry.id.as_str()).collect()
    }
}
