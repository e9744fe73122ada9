//! Faults on demand: what a service does instead of answering, by path and with a rate.

mod broken;
mod rule;
mod strike;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;

pub(crate) use rule::Rule;

use crate::data::Dice;

/// The rules in force in one service, the first that applies winning.
pub(crate) struct Faults {
    rules: RwLock<Arc<[Rule]>>,
    /// Every request rolls its own dice, so that a seed's faults fall the same way in every run.
    seed: u64,
    rolls: AtomicU64,
}

/// The layer that strikes.
pub(crate) async fn strike(State(faults): State<Arc<Faults>>, request: Request, next: Next) -> Response {
    match faults.draw(&request) {
        Some(rule) => strike::strike(&rule, request, next).await,
        None => next.run(request).await,
    }
}

impl Faults {
    pub(crate) fn new(seed: u64) -> Self {
        Self { rules: RwLock::new(Arc::new([])), seed, rolls: AtomicU64::new(0) }
    }

    /// The rules in force.
    pub(crate) fn rules(&self) -> Arc<[Rule]> {
        self.rules.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces them.
    pub(crate) fn set(&self, rules: Vec<Rule>) {
        *self.rules.write().unwrap_or_else(PoisonError::into_inner) = rules.into();
    }

    fn draw(&self, request: &Request) -> Option<Rule> {
        let rules = self.rules();
        if rules.is_empty() {
            return None;
        }
        let roll = self.rolls.fetch_add(1, Ordering::Relaxed);
        let mut dice = Dice::new(self.seed.wrapping_add(roll), "faults");
        let applies =
            |rule: &&Rule| rule.is_for(request.method(), request.uri().path()) && dice.fraction() < rule.rate;
        rules.iter().find(applies).cloned()
    }
}
