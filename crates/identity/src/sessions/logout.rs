//! The end of sessions: by who has them, or by the provider.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use http::request::Parts;
use problem::{Problem, kind};
use request_context::RequestContext;
use store::{Entry, If, Store, StoreError};
use tokio::time::timeout_at;

use super::record::{sid_tag, subject_tag, tag, until};
use super::refresh::{Lost, detached};
use super::vault::Opened;
use super::{Inner, Sessions, refusal};
use crate::audit;
use crate::oidc::{LogoutToken, LogoutTokenError};

/// A logout token is remembered for this much longer than it is good: clocks differ.
const REMEMBERED_LONGER: Duration = Duration::from_mins(5);
/// What stands for a logout token while it is followed, and afterwards.
const BEGUN: &[u8] = b"begun";
const DONE: &[u8] = b"done";

/// A session has ended.
#[derive(Debug)]
pub struct LoggedOut {
    /// Where the browser goes to end its session with the provider too.
    pub redirect_to: String,
    /// `Set-Cookie` headers of the answer.
    pub cookies: Vec<HeaderValue>,
}

impl Sessions {
    /// Ends the session, if there is one: when this has succeeded, no request is served with it any more.
    pub async fn logout(&self, ctx: &RequestContext, head: &Parts) -> Result<LoggedOut, Problem> {
        // Also without a cookie: a strict one does not come along from another site's page, but that page's form
        // would have the answer remove it.
        self.ours(ctx, head)?;
        if let Ok(Some(id)) = self.admitted(ctx, head)? {
            let ended = self.0.vault.end(id.key()).await.map_err(|error| refusal(ctx, error.into()))?;
            if let Some(session) = ended {
                audit::session(ctx, "session.logout", &session.caller.subject);
                self.revoke(ctx, &session);
            }
        }
        let Inner { cookie, origins, issuer, after_logout, .. } = &*self.0;
        let back_to = format!("{}{after_logout}", origins.own());
        // The session is over whatever the provider says, and when it says nothing.
        let provider = issuer.end_session_url(ctx, &back_to);
        let provider = timeout_at(ctx.optional_deadline().instant(), provider).await;
        let redirect_to = provider.ok().flatten().unwrap_or(back_to);
        Ok(LoggedOut { redirect_to, cookies: vec![cookie.remove()] })
    }

    /// Ends the sessions that the provider's logout token names (OpenID Connect Back-Channel Logout 1.0):
    /// `400` for a token that is bad or was followed before, `503` if nobody can tell or the sessions cannot
    /// be reached.
    pub async fn backchannel_logout(&self, ctx: &RequestContext, logout_token: &str) -> Result<(), Problem> {
        let token = match self.0.issuer.verify_logout_token(ctx, logout_token).await {
            Ok(token) => token,
            Err(LogoutTokenError::Bad(fault)) => return Err(bad(ctx, &format!("{fault:?}"))),
            Err(LogoutTokenError::Unavailable(error)) => return Err(refusal(ctx, Lost::Unavailable(error))),
        };
        match self.follow(&token).await {
            Ok(Some(ended)) => {
                audit::backchannel_logout(ctx, ended);
                Ok(())
            }
            Ok(None) => Err(bad(ctx, "Replayed")),
            Err(error) => Err(refusal(ctx, error.into())),
        }
    }

    fn revoke(&self, ctx: &RequestContext, session: &Opened) {
        let Some(refresh_token) = session.record.refresh_token() else {
            return;
        };
        let (issuer, ctx) = (Arc::clone(&self.0.issuer), detached(ctx));
        self.0.tasks.spawn(async move { issuer.revoke(&ctx, &refresh_token).await });
    }

    /// How many sessions ended; `None` for a token that was followed before. One that was begun and not ended
    /// is followed again: the provider repeats what failed.
    async fn follow(&self, token: &LogoutToken) -> Result<Option<usize>, StoreError> {
        let Inner { vault, realm, .. } = &*self.0;
        let name = tag("logout-token", realm, &token.jti);
        let left = until(vault.clock.now(), token.ends) + REMEMBERED_LONGER;
        let first = vault.store.put(&name, Entry::new(BEGUN, left), If::Absent).await?.is_some();
        if !first && vault.store.get(&name).await?.is_some_and(|stored| stored.value == DONE) {
            return Ok(None);
        }
        let tag = match (&token.sid, &token.subject) {
            (Some(sid), _) => Some(sid_tag(realm, sid)),
            (None, Some(subject)) => Some(subject_tag(realm, subject.as_str())),
            (None, None) => None,
        };
        let ended = match tag {
            Some(tag) => vault.store.invalidate(&tag).await?,
            None => 0,
        };
        vault.store.put(&name, Entry::new(DONE, left), If::Any).await?;
        Ok(Some(ended))
    }
}

fn bad(ctx: &RequestContext, reason: &str) -> Problem {
    audit::refused(ctx, "logout_token", reason);
    Problem::new(kind::INVALID_REQUEST).detail("The logout token is not one that can be followed.")
}
