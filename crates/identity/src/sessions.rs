//! Browser sessions: an opaque cookie for the browser, the tokens on our side.
//!
//! No token ever reaches a browser. What the store keeps is sealed, under the hash of the cookie's id. A
//! session that cannot be looked up is neither there nor gone: whoever asks is told to come back, and keeps
//! the cookie.

mod clock;
mod cookie;
mod csrf;
mod flights;
mod issuer;
mod jitter;
mod logout;
mod observe;
mod paces;
mod record;
mod refresh;
mod sign_in;
mod vault;

use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use http::request::Parts;
use jiff::Timestamp;
use problem::{Problem, kind};
use request_context::{Authenticate, Caller, Origin, PublicUrl, RequestContext, Subject};
use store::{If, SharedStore};
use tokio_util::task::TaskTracker;

use self::clock::Clock;
use self::cookie::SessionId;
pub(crate) use self::cookie::{Cookie, SessionKey};
use self::csrf::Origins;
use self::issuer::Issuer;
use self::jitter::Jitter;
use self::record::{Lifetimes, Record, until};
use self::refresh::{Lost, Refresher};
use self::sign_in::SignIn;
use self::vault::{Opened, Vault};
use crate::log::in_request;
use crate::observe::Credentials;
use crate::oidc::{RelyingParty, SignedIn};
use crate::rejection::{Rejection, SESSION};
use crate::seal::Keyring;
use crate::{Provider, SessionSettings, audit};

pub use self::logout::LoggedOut;
pub use self::sign_in::{Redirection, SignInAnswer, SignInError, SignInTrouble};

/// Knows callers by their session cookie. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Sessions(Arc<Inner>);

struct Inner {
    party: RelyingParty,
    keyring: Keyring,
    store: SharedStore,
    cookie: Cookie,
    origins: Origins,
    vault: Arc<Vault<SharedStore>>,
    refresher: Refresher<SharedStore>,
    issuer: Arc<dyn Issuer>,
    realm: Arc<str>,
    ends_soon: Duration,
    after_logout: String,
    sign_in: SignIn,
    credentials: Arc<Credentials>,
    /// What goes on behind requests.
    tasks: TaskTracker,
}

/// See [`Sessions::unattended`].
#[derive(Clone)]
pub struct Unattended(Sessions);

impl Authenticate for Unattended {
    type Refusal = Problem;

    async fn authenticate(&self, ctx: &RequestContext, head: &Parts) -> Result<Caller, Problem> {
        self.0.recall(ctx, head).await
    }
}

/// A setting with which there can be no sessions: its key, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {problem}")]
pub struct BadSession {
    /// The key, within the section of sessions; or `public_url`.
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

impl Sessions {
    /// Sessions of people who sign in at `provider`, kept in the store of the settings or else in `store`.
    pub fn new(
        provider: &Arc<Provider>,
        settings: &SessionSettings,
        public_url: &PublicUrl,
        store: &SharedStore,
    ) -> Result<Self, BadSession> {
        let own = settings.store.as_ref().map(SharedStore::open).transpose();
        let store = own.map_err(BadSession::from)?.unwrap_or_else(|| store.clone());
        let party = RelyingParty::new(provider, public_url.join("/auth/callback"));
        let issuer = Arc::new(party.clone());
        Self::of((party, issuer), provider.realm(), settings, public_url, store, Clock::wall())
    }

    /// The same, where pages of these origins may write, too.
    #[must_use]
    pub fn allowing(mut self, origins: &[Origin]) -> Self {
        let inner = Arc::get_mut(&mut self.0).expect("nobody else has what was made just now");
        inner.origins.allow(origins);
        self
    }

    fn of(
        (party, issuer): (RelyingParty, Arc<dyn Issuer>),
        realm: Arc<str>,
        settings: &SessionSettings,
        public_url: &PublicUrl,
        store: SharedStore,
        clock: Clock,
    ) -> Result<Self, BadSession> {
        settings.check_with(public_url, store.is_shared())?;
        let cookie = Cookie::of(public_url)?;
        if cookie.is_for_development() {
            tracing::warn!(
                ?public_url,
                "SESSIONS WITHOUT TLS: the cookie is not secure; for development only"
            );
        }
        let previous = settings.previous_key.as_ref();
        let keyring =
            settings.key.as_ref().map_or_else(Keyring::random, |current| Keyring::new(current, previous));
        let lifetimes = Lifetimes { idle: settings.idle_timeout, absolute: settings.absolute_timeout };
        let vault = Arc::new(Vault::new(store.clone(), keyring.clone(), realm.clone(), lifetimes, clock));
        let tasks = TaskTracker::new();
        Ok(Self(Arc::new(Inner {
            party,
            keyring,
            store,
            cookie,
            origins: Origins::new(public_url),
            refresher: Refresher::new(vault.clone(), issuer.clone(), Jitter::new(), tasks.clone()),
            vault,
            issuer,
            realm,
            ends_soon: settings.ends_soon,
            after_logout: settings.after_logout.clone(),
            sign_in: SignIn::new(public_url, cookie),
            credentials: Arc::default(),
            tasks,
        })))
    }

    /// Asks for what the provider announces in the background, so that the first sign-in finds it.
    /// Must be called in a tokio runtime.
    pub fn warm(&self) {
        self.0.party.warm();
    }

    /// Knows the same callers, of requests that are no sign that somebody is there.
    pub fn unattended(&self) -> Unattended {
        Unattended(self.clone())
    }

    /// As [`Authenticate::authenticate`], but it is not taken as a sign that somebody is there.
    pub async fn recall(&self, ctx: &RequestContext, head: &Parts) -> Result<Caller, Problem> {
        Ok(self.of_request(ctx, head).await?.caller.clone())
    }

    /// Who has signed in, and until when. It is not taken as a sign that somebody is there.
    pub async fn state(&self, ctx: &RequestContext, head: &Parts) -> Result<SessionState, Problem> {
        let Ok(Some(id)) = self.admitted(ctx, head)? else {
            return Ok(SessionState::Nobody);
        };
        match self.session(ctx, id.key()).await {
            Ok(session) => Ok(self.describe(&session)),
            Err(Lost::Ended) => Ok(SessionState::Nobody),
            Err(lost) => Err(refusal(ctx, lost)),
        }
    }

    /// What is under way behind requests, for a drain that waits for it: a process that ends before loses the tokens
    /// that the provider is just giving it, and with them a session.
    pub fn tasks(&self) -> TaskTracker {
        self.0.tasks.clone()
    }

    /// The session that a request presents, whether or not there is one.
    pub(crate) fn presented(&self, head: &Parts) -> Option<SessionKey> {
        let id = self.0.cookie.read(&head.headers).ok()??;
        Some(id.key())
    }

    /// Begins a session with a new id, and ends the one that it `replaces`. Gives the value of `Set-Cookie`.
    pub(crate) async fn open_session(
        &self,
        ctx: &RequestContext,
        signed_in: SignedIn,
        replaces: Option<SessionKey>,
    ) -> Result<HeaderValue, Problem> {
        let Inner { cookie, vault, realm, .. } = &*self.0;
        let id = SessionId::random();
        let record = Record::new(Arc::clone(realm), signed_in, vault.clock.now());
        let written = vault.write(id.key(), record, If::Absent).await;
        let written = written.map_err(|error| refusal(ctx, error.into()))?;
        let session = written.ok_or_else(|| Problem::new(kind::INTERNAL))?;
        if let Some(replaced) = replaces
            && let Err(error) = vault.replace(replaced).await
        {
            // It ends by itself, and its id is no longer in use.
            in_request!(warn, ctx, %error, "a session that was replaced is still there");
        }
        audit::session(ctx, "sign_in", &session.caller.subject);
        Ok(cookie.set(&id))
    }

    /// Whether a request was made by one of our own pages.
    fn ours(&self, ctx: &RequestContext, head: &Parts) -> Result<(), Problem> {
        if self.0.origins.made(head) {
            return Ok(());
        }
        audit::refused(ctx, "session_cookie", "CrossSite");
        Err(Problem::new(kind::CROSS_SITE))
    }

    /// The id that a request carries, if it is one of our own pages'. What is wrong with it is for the audit
    /// trail; the caller decides what becomes of it.
    fn admitted(
        &self,
        ctx: &RequestContext,
        head: &Parts,
    ) -> Result<Result<Option<SessionId>, Problem>, Problem> {
        let read = self.0.cookie.read(&head.headers);
        if !matches!(read, Ok(None)) {
            self.ours(ctx, head)?;
        }
        Ok(read.map_err(|fault| Rejection::Bad(fault).into_problem(ctx, &SESSION)))
    }

    async fn of_request(&self, ctx: &RequestContext, head: &Parts) -> Result<Arc<Opened>, Problem> {
        let credentials = &self.0.credentials;
        let admitted = self.admitted(ctx, head).and_then(|read| read);
        let id = admitted.inspect_err(|_| credentials.refused())?;
        let id = id.ok_or_else(|| Rejection::Missing.into_problem(ctx, &SESSION))?;
        let session = self.session(ctx, id.key()).await;
        match &session {
            Ok(_) => credentials.accepted(),
            Err(Lost::Ended) => credentials.refused(),
            Err(Lost::Unavailable(_)) => credentials.unavailable(),
        }
        session.map_err(|lost| refusal(ctx, lost))
    }

    /// The session, with a token that is good for a call.
    async fn session(&self, ctx: &RequestContext, key: SessionKey) -> Result<Arc<Opened>, Lost> {
        let session = self.0.vault.load(key).await?.ok_or(Lost::Ended)?;
        self.0.refresher.fresh(ctx, session).await
    }

    fn describe(&self, session: &Opened) -> SessionState {
        let vault = &self.0.vault;
        let expires_at = session.record.ends(vault.lifetimes);
        SessionState::SignedIn {
            id: session.caller.subject.clone(),
            name: session.record.name.clone(),
            expires_at,
            ends_soon: until(vault.clock.now(), expires_at) < self.0.ends_soon,
        }
    }
}

impl Authenticate for Sessions {
    type Refusal = Problem;

    /// Who sent this request: `403` if a page that is not ours made it, `401` if nobody that we know sent it,
    /// `503` if it cannot be known now. A `401` leaves the cookie alone: another tab may be about to replace
    /// it.
    async fn authenticate(&self, ctx: &RequestContext, head: &Parts) -> Result<Caller, Problem> {
        let session = self.of_request(ctx, head).await?;
        let vault = Arc::clone(&self.0.vault);
        if vault.is_due(&session) {
            let noted = Arc::clone(&session);
            self.0.tasks.spawn(async move { vault.note_use(&noted).await });
        }
        Ok(session.caller.clone())
    }
}

fn refusal(ctx: &RequestContext, lost: Lost) -> Problem {
    let rejection = match lost {
        Lost::Ended => Rejection::Missing,
        Lost::Unavailable(cause) => Rejection::Unavailable(cause),
    };
    rejection.into_problem(ctx, &SESSION)
}

#[cfg(test)]
mod fake;
#[cfg(test)]
mod tests;
