//! Refresh tokens: each is good once and is followed by another; one that comes back ends them all (RFC 9700 §4.14).

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::expiring::Expiring;
use super::secret::secret;
use crate::ids::Owner;

/// How long a sign-in is good for, however often it is refreshed.
const LIFE: Duration = Duration::from_hours(12);
const ROOM: usize = 10_000;

/// The refresh tokens of all sign-ins, and the sign-ins that were revoked.
pub(super) struct Families(Mutex<Known>);

struct Known {
    families: Expiring<Family>,
    revoked: Expiring<()>,
}

/// One sign-in at one client.
#[derive(Clone)]
pub(super) struct SignIn {
    /// What names it in tokens.
    pub(super) grant_id: String,
    pub(super) client: String,
    pub(super) user: Owner,
    pub(super) scope: String,
    /// The session at the provider.
    pub(super) sid: String,
    /// In seconds since 1970.
    pub(super) auth_time: i64,
}

struct Family {
    sign_in: SignIn,
    /// The secret part of the one refresh token that is good.
    secret: String,
}

impl Families {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Known { families: Expiring::new(ROOM), revoked: Expiring::new(ROOM) }))
    }

    /// The first refresh token of a sign-in, unless that was revoked already.
    pub(super) fn begin(&self, sign_in: SignIn) -> Option<String> {
        let mut known = self.known();
        if known.revoked.get_mut(&sign_in.grant_id).is_some() {
            return None;
        }
        let (id, secret) = (sign_in.grant_id.clone(), secret());
        let token = format!("{id}.{secret}");
        known.families.insert(id, Family { sign_in, secret }, LIFE);
        Some(token)
    }

    /// What a refresh token stands for, and the one that follows it. A token that was used before, or that never was,
    /// ends its family; one of another client changes nothing.
    pub(super) fn rotate(&self, token: &str, client: &str) -> Option<(SignIn, String)> {
        let (id, presented) = token.split_once('.')?;
        let mut known = self.known();
        let family = known.families.get_mut(id).filter(|family| family.sign_in.client == client)?;
        if family.secret != presented {
            known.revoke(id);
            return None;
        }
        family.secret = secret();
        Some((family.sign_in.clone(), format!("{id}.{}", family.secret)))
    }

    /// The sign-in that a refresh token belongs to, used or not.
    pub(super) fn of(&self, token: &str) -> Option<SignIn> {
        let (id, _) = token.split_once('.')?;
        self.known().families.get_mut(id).map(|family| family.sign_in.clone())
    }

    /// Ends a sign-in, or a single access token: nothing that has this id is refreshed or exchanged any more.
    pub(super) fn revoke(&self, id: &str) {
        self.known().revoke(id);
    }

    /// Ends all sign-ins to which this applies.
    pub(super) fn revoke_all(&self, applies: impl Fn(&SignIn) -> bool) {
        let mut known = self.known();
        for (id, _) in known.families.extract(|family| applies(&family.sign_in)) {
            known.revoke(&id);
        }
    }

    pub(super) fn is_revoked(&self, id: &str) -> bool {
        self.known().revoked.get_mut(id).is_some()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn revoke(&mut self, id: &str) {
        self.families.remove(id);
        self.revoked.insert(id.to_owned(), (), LIFE);
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    fn sign_in(id: &str) -> SignIn {
        let (client, scope) = ("web-bff".to_owned(), "openid".to_owned());
        SignIn {
            grant_id: id.to_owned(),
            client,
            user: Owner::ADA,
            scope,
            sid: format!("sid-{id}"),
            auth_time: 0,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_refresh_token_that_comes_back_ends_its_family() {
        let families = Families::new();
        let first = families.begin(sign_in("a")).unwrap();
        assert!(families.rotate(&first, "mobile-bff").is_none(), "another client's");
        let (_, second) = families.rotate(&first, "web-bff").unwrap();
        let (_, third) = families.rotate(&second, "web-bff").unwrap();
        assert!(families.rotate(&first, "web-bff").is_none(), "reused");
        assert!(families.rotate(&third, "web-bff").is_none(), "the family outlived a reuse");
        assert!(families.is_revoked("a") && families.begin(sign_in("a")).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_sign_in_ends_alone_and_in_time() {
        let families = Families::new();
        let [a, b] = ["a", "b"].map(|id| families.begin(sign_in(id)).unwrap());
        families.revoke_all(|sign_in| sign_in.sid == "sid-a");
        assert!(families.rotate(&a, "web-bff").is_none());
        assert_eq!(families.of(&b).unwrap().sid, "sid-b");
        let (_, b) = families.rotate(&b, "web-bff").unwrap();
        advance(LIFE).await;
        assert!(families.rotate(&b, "web-bff").is_none(), "a sign-in lived for ever");
    }
}
