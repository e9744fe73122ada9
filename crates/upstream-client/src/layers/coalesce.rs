//! One call for all who ask the same at the same time.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::FutureExt;
use futures::future::{BoxFuture, Shared, WeakShared};
use request_context::{Deadline, Priority};
use tower::ServiceExt;

use super::Next;
use crate::answer::Answer;
use crate::cache::{Identity, Key, Moment};
use crate::call::{Call, Facts};
use crate::error::{CallErrorKind, Failure};

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
    /// The service was told less time than the operation has, so that it may give up before others would.
    hurried: bool,
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
    hurried: bool,
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
        let outcome = next.oneshot(call).await;
        // What was asked before a write does not answer what is asked after it.
        if let (None, Some(caller)) = (&facts.key, facts.ctx.caller()) {
            facts.upstream.flights().detach(&Identity::of(caller));
        }
        return outcome;
    };
    let place = (key.clone(), facts.ctx.priority());
    let (flight, joined) = facts.upstream.flights().join(place, next.clone(), call.clone());
    if joined {
        facts.track.coalesced();
    }
    let outcome = flight.running.await;
    match outcome {
        // Who began it was in a hurry, and we are not.
        Err(Failure { kind: CallErrorKind::Timeout, .. }) if joined && flight.hurried => {
            next.oneshot(call).await
        }
        outcome => outcome,
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
            return (Flight { running, hurried: listed.hurried }, true);
        }
        state.begun += 1;
        let number = state.begun;
        let hurried = call.told < Deadline::after(facts.timeout);
        let landing = Landing { facts: facts.clone(), place: place.clone(), number };
        let running = async move {
            let _landing = landing;
            next.oneshot(call.on_its_own_time()).await
        };
        let running = running.boxed().shared();
        if let Some(weak) = running.downgrade() {
            let asked = facts.upstream.cache().now();
            state.flights.insert(place, Listed { running: weak, hurried, asked, number });
        }
        (Flight { running, hurried }, false)
    }

    /// From now on nobody joins what is in flight for this caller.
    fn detach(&self, caller: &Identity) {
        self.state().flights.retain(|(key, _), _| key.caller() != Some(caller));
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
