//! Which writes were made under which key, so that each is made once.

use std::collections::{HashMap, VecDeque};

use crate::data::Order;
use crate::ids::Owner;

/// What a write asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Write {
    /// A new order.
    Place { product: u32, quantity: u32 },
    /// The end of the order with this number.
    Cancel(u32),
}

/// The keyed writes that took effect. Refused ones are not in it: they may be tried again.
#[derive(Default)]
pub(super) struct Ledger {
    writes: HashMap<Key, (Write, Order)>,
    /// The keys by age: the oldest is forgotten first.
    keys: VecDeque<Key>,
}

type Key = (Owner, String);

/// How many keyed writes are remembered.
const MOST: usize = 10_000;

/// What the ledger knows about a key.
pub(super) enum Known {
    /// Nothing.
    New,
    /// The same write was made, with this outcome.
    Done(Order),
    /// Another write was made.
    Mismatch,
}

impl Ledger {
    pub(super) fn look_up(&self, owner: Owner, key: Option<&str>, write: Write) -> Known {
        let entry = key.and_then(|key| self.writes.get(&(owner, key.to_owned())));
        match entry {
            None => Known::New,
            Some((made, order)) if *made == write => Known::Done(*order),
            Some(_) => Known::Mismatch,
        }
    }

    pub(super) fn record(&mut self, owner: Owner, key: Option<&str>, write: Write, outcome: Order) {
        let Some(key) = key else { return };
        if self.keys.len() == MOST
            && let Some(oldest) = self.keys.pop_front()
        {
            self.writes.remove(&oldest);
        }
        let key = (owner, key.to_owned());
        if self.writes.insert(key.clone(), (write, outcome)).is_none() {
            self.keys.push_back(key);
        }
    }
}
