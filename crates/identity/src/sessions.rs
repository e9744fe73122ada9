//! Browser sessions: an opaque cookie for the browser, the tokens on our side.

mod sign_in;

use std::sync::Arc;

use http::HeaderValue;
use http::request::Parts;
use jiff::Timestamp;
use problem::{Problem, kind};
use request_context::{Authenticate, Caller, PublicUrl, RequestContext, Subject};
use store::SharedStore;

pub use sign_in::{Redirection, SignInAnswer, SignInError, SignInTrouble};

use self::sign_in::SignIn;
use crate::oidc::{RelyingParty, SignedIn};
use crate::seal::Keyring;
use crate::{Provider, SessionSettings};

/// Knows callers by their session cookie. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Sessions(Arc<Inner>);

struct Inner {
    party: RelyingParty,
    keyring: Keyring,
    store: SharedStore,
    sign_in: SignIn,
}

/// A setting with which there can be no sessions: its key, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {problem}")]
pub struct BadSession {
    /// The key, within the section of sessions.
    pub key: &'static str,
    /// A phrase such as `must be between 1m and 24h`.
    pub problem: String,
}

/// What a page may know of its session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionState {
    /// There is none.
    Nobody,
    /// Somebody has signed in.
    SignedIn {
        /// Who.
        id: Subject,
        /// What they are called, if the provider says.
        name: Option<String>,
        /// When the session ends, unless it is used before.
        expires_at: Timestamp,
        /// Whether that is soon.
        ends_soon: bool,
    },
}

/// A session has ended.
#[derive(Debug)]
pub struct LoggedOut {
    /// Where the browser goes to end its session with the provider too.
    pub redirect_to: String,
    /// `Set-Cookie` headers of the answer.
    pub cookies: Vec<HeaderValue>,
}

/// The name under which a session is kept: the hash of its id.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct SessionKey([u8; 32]);

impl Sessions {
    /// Sessions of people who sign in at `provider`.
    pub fn new(
        provider: &Arc<Provider>,
        settings: &SessionSettings,
        public_url: &PublicUrl,
        store: &SharedStore,
    ) -> Result<Self, BadSession> {
        let keyring = settings
            .key
            .as_ref()
            .map_or_else(Keyring::random, |key| Keyring::new(key, settings.previous_key.as_ref()));
        let party = RelyingParty::new(provider, public_url.join("/auth/callback"));
        let sign_in = SignIn::new(public_url);
        Ok(Self(Arc::new(Inner { party, keyring, store: store.clone(), sign_in })))
    }

    /// Asks for what the provider announces in the background, so that the first sign-in finds it.
    /// Must be called in a tokio runtime.
    pub fn warm(&self) {
        self.0.party.warm();
    }

    /// As [`Authenticate::authenticate`], but it is not taken as a sign that somebody is there.
    pub async fn recall(&self, _ctx: &RequestContext, _head: &Parts) -> Result<Caller, Problem> {
        Err(Problem::new(kind::UNAUTHENTICATED))
    }

    /// Who has signed in, and until when. Not taken as a sign that somebody is there.
    pub async fn state(&self, _ctx: &RequestContext, _head: &Parts) -> Result<SessionState, Problem> {
        Ok(SessionState::Nobody)
    }

    /// Ends the session, if there is one.
    pub async fn logout(&self, _ctx: &RequestContext, _head: &Parts) -> Result<LoggedOut, Problem> {
        Err(Problem::new(kind::UNAVAILABLE))
    }

    /// Ends the sessions that the provider's logout token names.
    pub async fn backchannel_logout(
        &self,
        _ctx: &RequestContext,
        _logout_token: &str,
    ) -> Result<(), Problem> {
        Err(Problem::new(kind::UNAVAILABLE))
    }

    /// The session that a request presents, whether or not there is one.
    pub(crate) fn presented(&self, _head: &Parts) -> Option<SessionKey> {
        None
    }

    /// Begins a session with a new id, and ends the one that it `replaces`. Gives the value of `Set-Cookie`.
    pub(crate) async fn open_session(
        &self,
        _ctx: &RequestContext,
        _signed_in: SignedIn,
        _replaces: Option<SessionKey>,
    ) -> Result<HeaderValue, Problem> {
        Err(Problem::new(kind::UNAVAILABLE))
    }
}

impl Authenticate for Sessions {
    type Refusal = Problem;

    async fn authenticate(&self, ctx: &RequestContext, head: &Parts) -> Result<Caller, Problem> {
        self.recall(ctx, head).await
    }
}
