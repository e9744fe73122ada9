//! What makes two calls the same: all that can change their answer.

use std::any::TypeId;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::sync::{Arc, LazyLock};

use http::{HeaderName, HeaderValue};
use request_context::{Caller, Scopes, Subject};

/// Nobody outside knows it, so that nobody can make keys that collide.
static RANDOM: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// The identity of a read. Equal keys have equal answers; nothing is hashed away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key(Arc<Hashed>);

/// Hashed once, since a call looks for its key in several places.
#[derive(Debug, PartialEq, Eq)]
struct Hashed {
    hash: u64,
    parts: Parts,
}

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
        Self(Arc::new(Hashed { hash: RANDOM.hash_one(&parts), parts }))
    }

    /// Whether it is on behalf of this caller, with whatever scopes.
    pub(crate) fn is_of(&self, caller: &Caller) -> bool {
        let is_same = |of: &Identity| of.subject == caller.subject && of.realm == caller.realm;
        self.0.parts.caller.as_ref().is_some_and(is_same)
    }

    /// About what it takes in memory.
    pub(crate) fn size(&self) -> usize {
        let parts = &self.0.parts;
        let headers: usize =
            parts.headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
        size_of::<Hashed>() + parts.url.len() + headers
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0.hash);
    }
}

impl Identity {
    pub(crate) fn of(caller: &Caller) -> Self {
        Self { realm: caller.realm.clone(), subject: caller.subject.clone(), scopes: caller.scopes.clone() }
    }
}
