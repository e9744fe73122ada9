//! A provider that rotates refresh tokens, and ends the session of who sends one twice.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use futures::future::BoxFuture;
use request_context::{Deadline, RequestContext, RequestId, Scopes, Subject, Trace};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::watch;

use super::clock::Clock;
use super::issuer::Issuer;
use crate::oidc::{LogoutToken, LogoutTokenError, RefreshError, SignedIn, TokenSet};
use crate::provider::ProviderError;
use crate::rejection::Fault;

pub(crate) const REALM: &str = "http://idp.shop.example";

/// The provider, in this process.
pub(crate) struct FakeIssuer {
    pub(crate) clock: Clock,
    state: Mutex<State>,
    held: watch::Sender<bool>,
}

struct State {
    /// Of the tokens that were issued last: they are `a-<number>` and `r-<number>`.
    number: u64,
    life: Duration,
    /// Refresh tokens that are good, and those that were.
    good: Vec<String>,
    redeemed: BTreeMap<String, usize>,
    revoked: Vec<String>,
    /// How often it was asked, whether or not it answered.
    asked: usize,
    down: bool,
    rotates: bool,
    end_session: Option<String>,
}

impl FakeIssuer {
    pub(crate) fn new(clock: Clock, life: Duration) -> Arc<Self> {
        let state = State {
            number: 0,
            life,
            good: vec![],
            redeemed: BTreeMap::new(),
            revoked: vec![],
            asked: 0,
            down: false,
            rotates: true,
            end_session: Some(format!("{REALM}/end-session")),
        };
        Arc::new(Self { clock, state: Mutex::new(state), held: watch::channel(false).0 })
    }

    /// Ada signs in, in a session `sid` of the provider's.
    pub(crate) fn sign_in(&self, sid: &str) -> SignedIn {
        SignedIn {
            subject: Subject::parse("u_42").unwrap(),
            name: Some("Ada Lovelace".into()),
            sid: Some(sid.into()),
            tokens: self.issue(),
        }
    }

    pub(crate) fn set_down(&self, down: bool) {
        self.state().down = down;
    }

    pub(crate) fn set_life(&self, life: Duration) {
        self.state().life = life;
    }

    pub(crate) fn set_rotates(&self, rotates: bool) {
        self.state().rotates = rotates;
    }

    pub(crate) fn set_end_session(&self, url: Option<&str>) {
        self.state().end_session = url.map(str::to_owned);
    }

    /// From now on answers wait, after what was asked for has happened.
    pub(crate) fn hold(&self, hold: bool) {
        self.held.send_replace(hold);
    }

    /// No refresh token is good any more.
    pub(crate) fn refuse_all(&self) {
        self.state().good.clear();
    }

    /// How often each refresh token was sent.
    pub(crate) fn redeemed(&self) -> BTreeMap<String, usize> {
        self.state().redeemed.clone()
    }

    pub(crate) fn asked(&self) -> usize {
        self.state().asked
    }

    pub(crate) fn revoked(&self) -> Vec<String> {
        self.state().revoked.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn issue(&self) -> TokenSet {
        let mut state = self.state();
        state.number += 1;
        let (access, refresh) = (format!("a-{}", state.number), format!("r-{}", state.number));
        state.good.push(refresh.clone());
        TokenSet {
            access_token: access.into(),
            access_ends: self.clock.now() + state.life,
            refresh_token: Some(refresh.into()),
            scopes: Some(Scopes::parse("orders:read")),
        }
    }

    /// What the token endpoint does, in one step.
    pub(crate) fn redeem(&self, refresh_token: &SecretString) -> Result<TokenSet, RefreshError> {
        {
            let mut state = self.state();
            state.asked += 1;
            if state.down {
                return Err(RefreshError::Unavailable(Arc::new(ProviderError::new("it is down"))));
            }
            let token = refresh_token.expose_secret();
            *state.redeemed.entry(token.to_owned()).or_default() += 1;
            let good = state.good.iter().position(|good| good == token);
            match good {
                Some(good) if state.rotates => drop(state.good.remove(good)),
                Some(_) => {}
                None => {
                    state.good.clear();
                    return Err(RefreshError::Refused);
                }
            }
        }
        Ok(self.issue())
    }
}

impl Issuer for FakeIssuer {
    fn refresh<'a>(
        &'a self,
        _: &'a RequestContext,
        refresh_token: &'a SecretString,
        subject: &'a Subject,
    ) -> BoxFuture<'a, Result<TokenSet, RefreshError>> {
        assert_eq!(subject.as_str(), "u_42");
        Box::pin(async {
            let answer = self.redeem(refresh_token);
            self.held.subscribe().wait_for(|held| !held).await.unwrap();
            answer
        })
    }

    fn revoke<'a>(&'a self, _: &'a RequestContext, refresh_token: &'a SecretString) -> BoxFuture<'a, ()> {
        self.state().revoked.push(refresh_token.expose_secret().to_owned());
        Box::pin(std::future::ready(()))
    }

    fn end_session_url<'a>(
        &'a self,
        _: &'a RequestContext,
        back_to: &'a str,
    ) -> BoxFuture<'a, Option<String>> {
        let url =
            self.state().end_session.as_ref().map(|url| format!("{url}?post_logout_redirect_uri={back_to}"));
        Box::pin(std::future::ready(url))
    }

    /// Takes `jti sid sub`, each of which may be `-`.
    fn verify_logout_token<'a>(
        &'a self,
        _: &'a RequestContext,
        token: &'a str,
    ) -> BoxFuture<'a, Result<LogoutToken, LogoutTokenError>> {
        let mut words = token.split(' ').map(|word| (word != "-").then_some(word));
        let verified = match (words.next().flatten(), words.next(), words.next()) {
            (Some(jti), Some(sid), Some(sub)) => Ok(LogoutToken {
                jti: jti.to_owned(),
                sid: sid.map(str::to_owned),
                subject: sub.and_then(Subject::parse),
                ends: self.clock.now() + Duration::from_mins(2),
            }),
            _ => Err(LogoutTokenError::Bad(Fault::WrongSignature)),
        };
        Box::pin(std::future::ready(verified))
    }
}

/// A request with so much time.
pub(crate) fn request(deadline: Duration) -> RequestContext {
    RequestContext::new(RequestId::generate(), Trace::start(), Deadline::after(deadline))
}
