//! Token exchange (RFC 8693): for each service a token that no other takes, in the name of the same subject.

mod gate;
mod slots;
mod subject;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use request_context::{AccessToken, RequestContext};
use tokio::time::{Instant, timeout_at};
use upstream_client::TokenError;

pub(crate) use subject::SubjectToken;

use crate::Provider;
use crate::flight::Landing;
use crate::issued::Issued;
use crate::log::in_request;
use crate::provider::{Client, ProviderError, Verdict};
use crate::verified::Verified;
use gate::{Gate, Turn};
use slots::{Key, Outcome, Refused, Slot, Slots};

/// Exchanges tokens, and keeps what came of it. Cheap to clone; clones share it.
#[derive(Clone)]
pub(crate) struct Exchange(Arc<Inner>);

struct Inner {
    provider: Arc<Provider>,
    client: Client,
    /// What the services are called, where that is not their name.
    audiences: BTreeMap<String, String>,
    slots: Slots,
    gate: Gate,
}

/// Why there is no token for a service.
#[derive(Clone, Debug)]
pub(crate) enum NoToken {
    /// The provider does not take the subject token: another one may do better.
    BadSubject,
    /// A service refused the token, and another would be refused as well.
    JustRefused,
    /// The provider is not available, or gives this service none.
    Unavailable(Arc<ProviderError>),
}

type Fetched = Result<AccessToken, NoToken>;

impl Exchange {
    /// The exchange at `provider`, as the client that this service is to it.
    pub(crate) fn new(provider: &Arc<Provider>) -> Self {
        Self(Arc::new(Inner {
            provider: provider.clone(),
            client: provider.own_client(),
            audiences: provider.settings().exchange.audiences.clone(),
            slots: Slots::new(),
            gate: Gate::default(),
        }))
    }

    /// A token for `audience` that speaks for whom `subject` speaks for; another than `rejected`, which the service
    /// has just refused.
    pub(crate) async fn token(
        &self,
        ctx: &RequestContext,
        subject: &SubjectToken,
        audience: &'static str,
        rejected: Option<&AccessToken>,
    ) -> Fetched {
        let key =
            Key { subject: subject.token.sha256(Verified::digest), realm: subject.realm.clone(), audience };
        let slot = self.0.slots.of(&key);
        let seen = slot.latest.load_full();
        let wanted = Wanted { subject, key, slot, seen };
        if let Some(usable) = wanted.seen.as_deref().and_then(Outcome::usable) {
            match rejected {
                Some(rejected) if rejected.expose() != usable.token.expose() => {
                    return Ok(usable.token.clone());
                }
                Some(_) if usable.is_too_young() => return Err(NoToken::JustRefused),
                Some(_) => {}
                None => {
                    if usable.is_old() {
                        // In the background: the token at hand serves this request.
                        self.fetch(ctx, &wanted);
                    }
                    return Ok(usable.token.clone());
                }
            }
        }
        let token = self.fetched(ctx, &wanted).await?;
        let same = rejected.is_some_and(|rejected| rejected.expose() == token.expose());
        if same { Err(NoToken::JustRefused) } else { Ok(token) }
    }

    /// Waits for an outcome newer than the one that was seen, no longer than the request can.
    async fn fetched(&self, ctx: &RequestContext, wanted: &Wanted<'_>) -> Fetched {
        let Some(landing) = self.fetch(ctx, wanted) else {
            return wanted.ended_meanwhile();
        };
        match timeout_at(ctx.deadline().instant(), landing.result()).await {
            Ok(Some(fetched)) => fetched,
            Ok(None) => Err(unavailable("its token could not be read")),
            Err(_) => Err(unavailable("its token did not come in time")),
        }
    }

    /// The exchange that is under way; or a new one, unless one has ended since the caller looked, or the provider
    /// refused or failed a moment ago.
    fn fetch(&self, ctx: &RequestContext, wanted: &Wanted<'_>) -> Option<Landing<Fetched>> {
        wanted.slot.flight.join(|| {
            let latest = wanted.slot.latest.load_full();
            let is_known = wanted.has_newer(latest.as_ref())
                || latest.is_some_and(|latest| latest.still_refused().is_some());
            if is_known {
                return None;
            }
            let turn = self.0.gate.enter()?;
            let (key, slot) = (wanted.key.clone(), wanted.slot.clone());
            Some(self.clone().fetch_and_keep(ctx.clone(), wanted.subject.clone(), key, slot, turn))
        })
    }

    async fn fetch_and_keep(
        self,
        ctx: RequestContext,
        subject: SubjectToken,
        key: Key,
        slot: Arc<Slot>,
        turn: Turn,
    ) -> Fetched {
        let Inner { provider, client, audiences, slots, gate } = &*self.0;
        let (at, left) = (Instant::now(), subject.left(Timestamp::now()));
        let audience = audiences.get(key.audience).map_or(key.audience, String::as_str);
        let answer = provider.exchange_token(&ctx, client, &subject.token, audience).await;
        let issued = answer.and_then(|answer| Issued::new(answer, at));
        let verdict = issued.as_ref().err().map(ProviderError::verdict);
        gate.leave(&turn, verdict != Some(Verdict::Unavailable));
        if let Err(error) = &issued {
            in_request!(warn, ctx, audience, %error, cause = error.cause(), "token not exchanged");
        }
        let (outcome, fetched) = match issued {
            Ok(issued) => {
                let token = issued.token.clone();
                (Outcome { issued: Some(issued.ending_with(left)), refused: None }, Ok(token))
            }
            Err(error) if verdict == Some(Verdict::Unavailable) => {
                return Err(NoToken::Unavailable(Arc::new(error)));
            }
            Err(_) => {
                let refused = Refused { at: Instant::now(), subject: verdict == Some(Verdict::Subject) };
                let before = slot.latest.load_full().filter(|_| !refused.subject);
                let issued = before.and_then(|before| before.issued.clone());
                (Outcome { issued, refused: Some(refused) }, Err(refused.into()))
            }
        };
        slot.latest.store(Some(Arc::new(outcome)));
        slots.renewed(key, slot);
        fetched
    }
}

/// What one call wants, and what was known when it came.
struct Wanted<'a> {
    subject: &'a SubjectToken,
    key: Key,
    slot: Arc<Slot>,
    seen: Option<Arc<Outcome>>,
}

impl Wanted<'_> {
    fn has_newer(&self, latest: Option<&Arc<Outcome>>) -> bool {
        match (&self.seen, latest) {
            (Some(seen), Some(latest)) => !Arc::ptr_eq(seen, latest),
            (None, latest) => latest.is_some(),
            (Some(_), None) => false,
        }
    }

    /// What is known when nothing has to be asked, or can be.
    fn ended_meanwhile(&self) -> Fetched {
        let latest = self.slot.latest.load_full();
        let is_newer = self.has_newer(latest.as_ref());
        let Some(latest) = latest.filter(|latest| is_newer || latest.still_refused().is_some()) else {
            return Err(unavailable("it failed a moment ago and is not asked again yet"));
        };
        match (latest.refused, &latest.issued) {
            (Some(refused), _) => Err(refused.into()),
            (None, issued) => {
                let token = issued.as_ref().map(|issued| issued.token.clone());
                token.ok_or_else(|| unavailable("its token could not be read"))
            }
        }
    }
}

impl From<Refused> for NoToken {
    fn from(refused: Refused) -> Self {
        if refused.subject { Self::BadSubject } else { unavailable("it gives us no token for this service") }
    }
}

impl From<NoToken> for TokenError {
    fn from(no_token: NoToken) -> Self {
        match no_token {
            NoToken::BadSubject | NoToken::JustRefused => Self::Refused,
            NoToken::Unavailable(error) => Self::Unavailable(Box::new(error)),
        }
    }
}

fn unavailable(what: &'static str) -> NoToken {
    NoToken::Unavailable(Arc::new(ProviderError::new(what)))
}
