//! What makes two calls the same: all that can change their answer.

use std::any::TypeId;
use std::sync::Arc;

use http::{HeaderName, HeaderValue};
use request_context::{Caller, Scopes, Subject};

/// The identity of a read. Equal keys have equal answers; nothing is hashed away.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key(Arc<Parts>);

#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Parts {
    /// The service, which is also the audience of the credential.
    pub(crate) audience: &'static str,
    /// Its method and path are part of the URL's meaning.
    pub(crate) operation: &'static str,
    /// What the answer is read as.
    pub(crate) contract: TypeId,
    pub(crate) url: String,
    /// Whatever else is negotiated: formats, languages.
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    /// Nobody, if the call is the service's own.
    pub(crate) caller: Option<Identity>,
}

/// On whose behalf a call is made, and how much they may see. Its token is not part of it: it changes, they do not.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Identity {
    realm: Arc<str>,
    subject: Subject,
    scopes: Scopes,
}

impl Key {
    pub(crate) fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    pub(crate) fn caller(&self) -> Option<&Identity> {
        self.0.caller.as_ref()
    }

    /// About what it takes in memory.
    pub(crate) fn size(&self) -> usize {
        let headers: usize =
            self.0.headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
        size_of::<Parts>() + self.0.url.len() + headers
    }
}

impl Identity {
    pub(crate) fn of(caller: &Caller) -> Self {
        Self { realm: caller.realm.clone(), subject: caller.subject.clone(), scopes: caller.scopes.clone() }
    }
}
