//! Who is signed in at the provider itself, so that one need not sign in at each client.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};
use jiff::Timestamp;

use super::expiring::Expiring;
use super::secret::{secret, unique};
use crate::ids::Owner;

const COOKIE_NAME: &str = "demo-idp-session";
const LIFE: Duration = Duration::from_hours(12);
const ROOM: usize = 10_000;

/// The sessions by the value of their cookie.
pub(super) struct Sessions(Mutex<Expiring<Session>>);

/// Somebody in one browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Session {
    /// What clients call it.
    pub(super) sid: String,
    pub(super) user: Owner,
    /// In seconds since 1970.
    pub(super) auth_time: i64,
}

impl Sessions {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Expiring::new(ROOM)))
    }

    /// The session of this browser.
    pub(super) fn of(&self, headers: &HeaderMap) -> Option<Session> {
        let id = cookie(headers)?;
        self.sessions().get_mut(id).cloned()
    }

    /// Signs `user` in, and the value of `Set-Cookie` that remembers it. Who does so for the second time keeps the
    /// session.
    pub(super) fn sign_in(&self, headers: &HeaderMap, user: Owner) -> (Session, HeaderValue) {
        let mut sessions = self.sessions();
        let before = cookie(headers).and_then(|id| sessions.remove(id));
        let sid = before.filter(|before| before.user == user).map_or_else(unique, |before| before.sid);
        let session = Session { sid, user, auth_time: Timestamp::now().as_second() };
        let id = secret();
        let cookie = format!("{COOKIE_NAME}={id}; Path=/; HttpOnly; SameSite=Lax");
        sessions.insert(id, session.clone(), LIFE);
        (session, HeaderValue::try_from(cookie).expect("base64 is visible ASCII"))
    }

    /// Ends the session of this browser, if there is one.
    pub(super) fn end(&self, headers: &HeaderMap) -> Option<Session> {
        let id = cookie(headers)?;
        self.sessions().remove(id)
    }

    /// Ends all sessions of a user.
    pub(super) fn end_all_of(&self, user: Owner) -> Vec<Session> {
        let ended = self.sessions().extract(|session| session.user == user);
        ended.into_iter().map(|(_, session)| session).collect()
    }

    fn sessions(&self) -> MutexGuard<'_, Expiring<Session>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The value of `Set-Cookie` that makes a browser forget.
pub(super) fn forget() -> HeaderValue {
    let cookie = format!("{COOKIE_NAME}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0");
    HeaderValue::try_from(cookie).expect("it is visible ASCII")
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split("; ")).filter_map(|pair| pair.split_once('='));
    pairs.into_iter().find(|(name, _)| *name == COOKIE_NAME).map(|(_, value)| value)
}
