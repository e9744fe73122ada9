//! What the holder of the lease does.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use request_context::{Deadline, RequestContext};
use store::{If, Lease, Store, StoreError};
use tokio::time::{Instant, sleep, timeout};

use super::{Current, LEASE, Landed, Lost, Refresher, unavailable};
use crate::audit;
use crate::log::in_request;
use crate::observe::Refreshed;
use crate::oidc::{RefreshError, TokenSet};
use crate::sessions::vault::{Found, Opened};

/// How long an answer of the provider is waited for. Requests give up long before: this is for the tokens,
/// which would be lost with the answer.
const REDEMPTION: Duration = Duration::from_secs(30);
/// How long it is tried to write what the provider gave: when it is lost, so is the session.
const WRITING: Duration = Duration::from_mins(15);
/// So often it is looked, after a refusal, whether somebody else's redemption is being written.
const LOOKS: usize = 4;

impl<S: Store + 'static> Refresher<S> {
    /// Does `work` and keeps the lease meanwhile. Notes when it is no longer `held`.
    pub(super) async fn renewing<T>(
        &self,
        lease: &Lease,
        held: &AtomicBool,
        work: impl Future<Output = T>,
    ) -> T {
        let renewals = async {
            while held.load(Ordering::Relaxed) {
                sleep(LEASE / 3).await;
                // A store that does not answer says nothing about the lease.
                if let Ok(false) = self.0.vault.store.renew(lease, LEASE).await {
                    held.store(false, Ordering::Relaxed);
                }
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            biased;
            done = work => done,
            () = renewals => unreachable!("it never ends"),
        }
    }

    /// Redeems the refresh token of a session that is still the one that was `seen`. `None` if somebody else
    /// has the lease by now, so that it is theirs to say what becomes of the session.
    pub(super) async fn redeem(
        &self,
        ctx: &RequestContext,
        seen: &Arc<Opened>,
        held: &AtomicBool,
    ) -> Option<Landed> {
        let session = match self.current(seen).await {
            Ok(Current::Stale(session)) => session,
            Ok(Current::Fresh(session)) => {
                self.0.refreshes.ended(Refreshed::LostRace);
                return Some(Ok(session));
            }
            Err(lost) => return Some(Err(lost)),
        };
        let Some(refresh_token) = session.record.refresh_token() else {
            return Some(Err(Lost::Ended));
        };
        if !self.0.paces.begin(session.key) {
            return Some(Err(unavailable("it failed a moment ago and is not asked again yet")));
        }
        let ctx = &detached(ctx);
        let answer =
            timeout(REDEMPTION, self.0.issuer.refresh(ctx, &refresh_token, &session.caller.subject)).await;
        self.0.paces.end(session.key, matches!(answer, Ok(Ok(_) | Err(RefreshError::Refused))));
        let (landed, good) = match answer {
            Ok(Ok(tokens)) => (Some(self.keep(ctx, session, tokens).await), Refreshed::Ok),
            Ok(Err(RefreshError::Refused)) if !held.load(Ordering::Relaxed) => (None, Refreshed::LostRace),
            Ok(Err(RefreshError::Refused)) => (Some(self.refused(ctx, session).await), Refreshed::LostRace),
            Ok(Err(RefreshError::Unavailable(error))) => (Some(Err(Lost::Unavailable(error))), Refreshed::Ok),
            Err(_) => (Some(Err(unavailable("it did not answer"))), Refreshed::Ok),
        };
        self.0.refreshes.ended(match &landed {
            Some(Err(Lost::Unavailable(_))) => Refreshed::Failed,
            Some(Err(Lost::Ended)) => Refreshed::Ended,
            Some(Ok(_)) | None => good,
        });
        landed
    }

    /// Writes the tokens that were got for `session`. What is written in the meantime is respected.
    async fn keep(&self, ctx: &RequestContext, mut session: Arc<Opened>, tokens: TokenSet) -> Landed {
        let until = Instant::now() + WRITING;
        loop {
            match self.try_to_keep(ctx, &session, &tokens).await {
                Ok(Kept::Landed(landed)) => return landed,
                Ok(Kept::Changed(changed)) => session = changed,
                // Whether it was written is unknown: the next try finds out.
                Err(error) if Instant::now() >= until => {
                    in_request!(error, ctx, %error, "refreshed tokens are lost: they could not be written");
                    return Err(error.into());
                }
                Err(_) => self.pause().await,
            }
        }
    }

    async fn try_to_keep(
        &self,
        ctx: &RequestContext,
        session: &Opened,
        tokens: &TokenSet,
    ) -> Result<Kept, StoreError> {
        let refreshed = session.record.refreshed(tokens, self.now());
        let written = self.0.vault.write(session.key, refreshed, If::Version(session.version)).await?;
        if let Some(written) = written {
            audit::session(ctx, "session.refreshed", &written.caller.subject);
            return Ok(Kept::Landed(Ok(written)));
        }
        Ok(match self.0.vault.find(session.key).await? {
            // Only its use was noted.
            Found::Session(found) if found.record.generation == session.record.generation => {
                Kept::Changed(found)
            }
            // Ours after all; or somebody had the lease after us, and theirs are newer.
            Found::Session(found) => Kept::Landed(Ok(found)),
            Found::Nothing => {
                self.revoke(ctx, tokens);
                Kept::Landed(Err(Lost::Ended))
            }
            // Its user has signed in again: to the provider it can be the same grant.
            Found::Foreign => Kept::Landed(Err(Lost::Ended)),
        })
    }

    /// Ends a session whose refresh token the provider refused, unless that was because somebody, who had
    /// lost the lease or was slow, has just redeemed it.
    async fn refused(&self, ctx: &RequestContext, session: Arc<Opened>) -> Landed {
        let mut last = session;
        for _ in 0..LOOKS {
            match self.0.vault.load(last.key).await? {
                None => return Err(Lost::Ended),
                Some(found) if found.record.generation != last.record.generation => return Ok(found),
                Some(found) => last = found,
            }
            self.pause().await;
        }
        while !self.0.vault.delete(last.key, If::Version(last.version)).await? {
            match self.0.vault.load(last.key).await? {
                None => return Err(Lost::Ended),
                Some(found) if found.record.generation != last.record.generation => return Ok(found),
                Some(found) => last = found,
            }
        }
        audit::session(ctx, "session.refresh_refused", &last.caller.subject);
        Err(Lost::Ended)
    }

    /// The session was ended while the provider answered: nobody is to have these.
    fn revoke(&self, ctx: &RequestContext, tokens: &TokenSet) {
        let Some(refresh_token) = tokens.refresh_token.clone() else {
            return;
        };
        let (issuer, ctx) = (Arc::clone(&self.0.issuer), ctx.clone());
        self.0.tasks.spawn(async move { issuer.revoke(&ctx, &refresh_token).await });
    }
}

enum Kept {
    Landed(Landed),
    /// Not yet: the session has another version now.
    Changed(Arc<Opened>),
}

/// What is redeemed serves everyone who waits, so that it does not end with the request that came first.
pub(crate) fn detached(ctx: &RequestContext) -> RequestContext {
    ctx.detached(Deadline::after(REDEMPTION))
}
