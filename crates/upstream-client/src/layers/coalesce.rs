//! One call for all who ask the same at the same time.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::{BoxFuture, Shared, WeakShared};
use request_context::{Caller, Deadline, Priority};
use tokio::time::Instant;
use tower::ServiceExt;

use super::Next;
use super::deadline::RESERVE;
use crate::answer::Answer;
use crate::cache::{Key, Moment};
use crate::call::{Call, Facts, Step};
use crate::error::{CallErrorKind, Failure};
use crate::outcome;

layer! {
    /// Joins the call that is in flight for the same, or makes it.
    Coalesce: Answer => Answer = together
}

type Outcome = Result<Answer, Failure>;
type Running = BoxFuture<'static, Outcome>;

/// A call that is being made. Whoever waits drives it; when nobody does any more, it is cancelled. So one that leaves
/// hands over to the others without doing anything.
#[derive(Clone)]
struct Flight {
    running: Shared<Running>,
    /// Of the one who began it.
    leader: Arc<Facts>,
    /// The service was told less time than the operation has, so that it may give up before others would.
    hurried: bool,
    begun: Instant,
}

/// The calls to one service that can be joined.
#[derive(Default)]
pub(crate) struct Flights(Mutex<State>);

#[derive(Default)]
struct State {
    flights: HashMap<Place, Listed>,
    begun: u64,
}

/// A call that waits its turn as page must not be kept waiting as batch.
type Place = (Key, Priority);

struct Listed {
    running: WeakShared<Running>,
    leader: Arc<Facts>,
    hurried: bool,
    begun: Instant,
    asked: Moment,
    number: u64,
}

/// Takes a flight off the list when it has ended, or was left by all.
struct Landing {
    facts: Arc<Facts>,
    place: Place,
    number: u64,
}

async fn together<S: Next<Answer>>(next: S, call: Call) -> Outcome {
    let facts = call.facts.clone();
    let (Some(key), true) = (&facts.key, facts.upstream.settings().coalescing) else {
        return next.oneshot(call).await;
    };
    let flights = facts.upstream.flights();
    let place = (key.clone(), facts.ctx.priority());
    let (flight, joined) = flights.join(place.clone(), next.clone(), call.clone());
    if joined {
        facts.track.coalesced();
    }
    let outcome = flight.end(&facts, joined).await;
    match &outcome {
        // Together again: whoever is left shares one more call, which one of them begins.
        Err(failure) if joined && flight.is_its_beginners(failure, facts.timeout) => {
            drop(flight);
            let (flight, joined) = flights.join(place, next, call);
            flight.end(&facts, joined).await
        }
        _ => outcome,
    }
}

impl Flight {
    /// Waits for it. Whoever joined it made no attempt of their own, so that this is what is recorded of their call.
    async fn end(&self, facts: &Arc<Facts>, joined: bool) -> Outcome {
        let step =
            joined.then(|| Step::beside(facts, facts.ctx.deadline().minus(RESERVE), self.leader.clone()));
        let outcome = self.running.clone().await;
        if let Some(mut step) = step {
            step.ended(outcome::Outcome::of(&outcome), None);
        }
        outcome
    }

    /// Whether it failed for a reason that is that of the one who began it: too little time, or a token that is refused.
    fn is_its_beginners(&self, failure: &Failure, timeout: Duration) -> bool {
        match failure.kind {
            CallErrorKind::Timeout => self.hurried && self.begun.elapsed() < timeout,
            CallErrorKind::Unauthorized => true,
            _ => false,
        }
    }
}

impl Flights {
    /// The flight at `place`, and whether it was there before.
    fn join<S: Next<Answer>>(&self, place: Place, next: S, call: Call) -> (Flight, bool) {
        let facts = call.facts.clone();
        let mut state = self.state();
        if let Some(listed) = state.flights.get(&place)
            && !facts.is_old(listed.asked)
            && let Some(running) = listed.running.upgrade()
        {
            let leader = listed.leader.clone();
            return (Flight { running, leader, hurried: listed.hurried, begun: listed.begun }, true);
        }
        state.begun += 1;
        let number = state.begun;
        let (hurried, begun) = (call.told < Deadline::after(facts.timeout), Instant::now());
        let landing = Landing { facts: facts.clone(), place: place.clone(), number };
        let running = async move {
            let _landing = landing;
            next.oneshot(call.on_its_own_time()).await
        };
        let running = running.boxed().shared();
        if let Some(weak) = running.downgrade() {
            let asked = facts.upstream.cache().now();
            let leader = facts.clone();
            state.flights.insert(place, Listed { running: weak, leader, hurried, begun, asked, number });
        }
        (Flight { running, leader: facts, hurried, begun }, false)
    }

    /// From now on nobody joins what is in flight for this caller, whatever they may see.
    pub(crate) fn detach(&self, caller: &Caller) {
        self.state().flights.retain(|(key, _), _| !key.is_of(caller));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        let mut state = self.facts.upstream.flights().state();
        if let Entry::Occupied(listed) = state.flights.entry(self.place.clone())
            && listed.get().number == self.number
        {
            listed.remove();
        }
    }
}
