//! Signing in: to the provider, and back with an answer that only the browser which asked can use.

mod attempts;
mod return_to;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest;
use http::HeaderValue;
use http::header::COOKIE;
use http::request::Parts;
use jiff::Timestamp;
use problem::{Cause, Problem, kind};
use request_context::{PublicUrl, RequestContext};
use serde::Deserialize;
use store::{Entry, If, Store};
use subtle::ConstantTimeEq;
use url::Url;
use url::form_urlencoded::byte_serialize;

use self::attempts::{Attempts, LIFETIME};
use super::{Cookie, SessionKey, SessionState, Sessions};
use crate::audit;
use crate::hex::hex;
use crate::oidc::{Attempt, RedeemError};
use crate::provider::ProviderError;

/// When to try again after the provider could not be asked.
const RETRY_AFTER: Duration = Duration::from_secs(5);
/// Where people begin who wanted nothing else.
const HOME: &str = "/";

/// What signing in needs to know of this service.
pub(super) struct SignIn {
    /// Of the web app, whose pages are at its root.
    origin: String,
    login: String,
    attempts: Attempts,
}

/// Where a browser goes next, and what it keeps.
#[derive(Debug)]
pub struct Redirection {
    /// An absolute URL.
    pub location: String,
    /// `Set-Cookie` headers of the answer.
    pub cookies: Vec<HeaderValue>,
}

/// What the provider sent back with the browser (RFC 6749, sections 4.1.2 and 4.1.2.1; RFC 9207).
#[derive(Deserialize)]
#[expect(missing_docs, reason = "their names are those of the RFCs")]
pub struct SignInAnswer {
    pub code: Option<String>,
    pub state: Option<String>,
    pub iss: Option<String>,
    pub error: Option<String>,
}

/// Nobody was signed in.
#[derive(Debug)]
pub struct SignInError {
    /// What a page says.
    pub trouble: SignInTrouble,
    /// Where to try again: a URL of ours.
    pub again: String,
    /// `Set-Cookie` headers of the answer.
    pub cookies: Vec<HeaderValue>,
    /// For the log.
    pub cause: Option<Cause>,
}

/// What went wrong with a sign-in, one variant for each thing that people can do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInTrouble {
    /// The browser sent no cookie at all: it blocks them, or another one began.
    NoCookies,
    /// It began too long ago, or is over.
    Expired,
    /// Its answer was used before, and a new sign-in does no harm.
    Used,
    /// The person said no.
    Cancelled,
    /// The provider does not want to sign this person in, or not for us.
    Refused,
    /// The answer is not to what was asked.
    Forged,
    /// The provider, or our own store, cannot be asked now.
    Unavailable,
}

/// Why an attempt leads to no session.
struct Failure {
    trouble: SignInTrouble,
    cause: Option<Cause>,
}

impl SignIn {
    pub(super) fn new(public_url: &PublicUrl, session: Cookie) -> Self {
        let url = Url::parse(&public_url.join("/")).expect("a public URL is a URL");
        let origin = url.origin().ascii_serialization();
        let login = public_url.join("/auth/login");
        Self { origin, login, attempts: Attempts::new(!session.is_for_development()) }
    }
}

impl Sessions {
    /// Sends the browser to the provider, to come back to the path `return_to` in the end. `400` if that is
    /// no path of our own.
    pub async fn begin(
        &self,
        ctx: &RequestContext,
        head: &Parts,
        return_to: Option<&str>,
    ) -> Result<Redirection, Problem> {
        let return_to = return_to::checked(return_to.unwrap_or(HOME)).ok_or_else(|| {
            Problem::new(kind::INVALID_REQUEST)
                .detail("returnTo must be a path on this site, such as /orders?status=shipped.")
        })?;
        // The cookie of a session is not sent along when another site sends the browser back.
        let replaces = self.presented(head).map(|session| session.0);
        let attempt = Attempt::new(return_to, replaces, Timestamp::now());
        let location = self
            .0
            .party
            .authorization_url(ctx, &attempt)
            .await
            .map_err(|error| Problem::new(kind::UNAVAILABLE).retry_after(RETRY_AFTER).caused_by(error))?;
        let cookies = self.0.sign_in.attempts.remember(&self.0.keyring, &head.headers, &attempt);
        Ok(Redirection { location, cookies })
    }

    /// Signs in whom the provider's `answer` names, and begins their session.
    pub async fn finish(
        &self,
        ctx: &RequestContext,
        head: &Parts,
        answer: &SignInAnswer,
    ) -> Result<Redirection, SignInError> {
        let state = answer.state.as_deref().unwrap_or_default();
        let attempt = self.0.sign_in.attempts.recall(&self.0.keyring, &head.headers, state);
        let Some(attempt) = attempt else {
            let has_cookies = head.headers.contains_key(COOKIE);
            let trouble = if has_cookies { SignInTrouble::Expired } else { SignInTrouble::NoCookies };
            return self.already_signed_in(ctx, head, HOME, vec![]).await.ok_or_else(|| {
                audit::sign_in_refused(ctx, "UnknownState");
                self.error(trouble.into(), HOME, vec![])
            });
        };
        let (return_to, forget) = (&attempt.return_to, vec![self.0.sign_in.attempts.forget(state)]);
        match self.redeem(ctx, head, answer, &attempt).await {
            Ok(session) => {
                let cookies = [vec![session], forget].concat();
                Ok(Redirection { location: self.in_app(return_to), cookies })
            }
            Err(failure) => {
                if failure.trouble == SignInTrouble::Used
                    && let Some(there) = self.already_signed_in(ctx, head, return_to, forget.clone()).await
                {
                    return Ok(there);
                }
                Err(self.error(failure, return_to, forget))
            }
        }
    }

    /// The cookie of the session that an attempt leads to.
    async fn redeem(
        &self,
        ctx: &RequestContext,
        head: &Parts,
        answer: &SignInAnswer,
        attempt: &Attempt,
    ) -> Result<HeaderValue, Failure> {
        let refused = |trouble: SignInTrouble, reason: &str| {
            audit::sign_in_refused(ctx, reason);
            Failure::from(trouble)
        };
        let state = answer.state.as_deref().unwrap_or_default();
        if !bool::from(state.as_bytes().ct_eq(attempt.state.as_bytes())) {
            return Err(refused(SignInTrouble::Forged, "WrongState"));
        }
        if Timestamp::now().duration_since(attempt.begun) > LIFETIME {
            return Err(refused(SignInTrouble::Expired, "Expired"));
        }
        let is_issuer = self.0.party.is_issuer(ctx, answer.iss.as_deref()).await;
        if !is_issuer.map_err(Failure::unavailable)? {
            return Err(refused(SignInTrouble::Forged, "WrongIssuer"));
        }
        if let Some(error) = answer.error.as_deref() {
            return Err(match error {
                "access_denied" => refused(SignInTrouble::Cancelled, "Cancelled"),
                "server_error" | "temporarily_unavailable" => {
                    Failure::unavailable(ProviderError::new("it says that it signs in nobody now"))
                }
                _ => refused(SignInTrouble::Refused, "RefusedByProvider"),
            });
        }
        let code = answer.code.as_deref().ok_or_else(|| refused(SignInTrouble::Forged, "NoCode"))?;
        if !self.is_first_use(state).await? {
            return Err(refused(SignInTrouble::Used, "UsedState"));
        }
        let signed_in = self.0.party.redeem_code(ctx, code, attempt).await.map_err(|error| match error {
            RedeemError::Refused => refused(SignInTrouble::Refused, "BadCode"),
            RedeemError::Forged(fault) => refused(SignInTrouble::Forged, &format!("{fault:?}")),
            RedeemError::Unavailable(error) => Failure::unavailable(error),
        })?;
        let replaces = self.presented(head).or_else(|| attempt.replaces.map(SessionKey));
        self.open_session(ctx, signed_in, replaces).await.map_err(Failure::unavailable)
    }

    /// Whether nobody has used this state before, at any replica.
    async fn is_first_use(&self, state: &str) -> Result<bool, Failure> {
        let used = Entry::new(&b""[..], LIFETIME.unsigned_abs());
        let key = format!("login-used:{}", hex(digest::digest(&digest::SHA256, state.as_bytes()).as_ref()));
        let written = self.0.store.put(&key, used, If::Absent).await;
        Ok(written.map_err(Failure::unavailable)?.is_some())
    }

    /// Into the app, for somebody who came back to the end of a sign-in and is signed in.
    async fn already_signed_in(
        &self,
        ctx: &RequestContext,
        head: &Parts,
        return_to: &str,
        cookies: Vec<HeaderValue>,
    ) -> Option<Redirection> {
        let state = self.state(ctx, head).await;
        let is_signed_in = matches!(state, Ok(SessionState::SignedIn { .. }));
        is_signed_in.then(|| Redirection { location: self.in_app(return_to), cookies })
    }

    fn in_app(&self, path: &str) -> String {
        [&self.0.sign_in.origin, path].concat()
    }

    fn error(&self, failure: Failure, return_to: &str, cookies: Vec<HeaderValue>) -> SignInError {
        let return_to: String = byte_serialize(return_to.as_bytes()).collect();
        let again = format!("{}?returnTo={return_to}", self.0.sign_in.login);
        SignInError { trouble: failure.trouble, again, cookies, cause: failure.cause }
    }
}

impl Failure {
    fn unavailable(cause: impl Error + Send + Sync + 'static) -> Self {
        Self { trouble: SignInTrouble::Unavailable, cause: Some(Arc::new(cause)) }
    }
}

impl From<SignInTrouble> for Failure {
    fn from(trouble: SignInTrouble) -> Self {
        Self { trouble, cause: None }
    }
}

#[cfg(test)]
mod tests;
