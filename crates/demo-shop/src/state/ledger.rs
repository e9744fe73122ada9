//! Which writes were made under which key, so that each is made once.

use std::collections::HashMap;

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
pub(super) struct Ledger(HashMap<(Owner, String), (Write, Order)>);

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
        let entry = key.and_then(|key| self.0.get(&(owner, key.to_owned())));
        match entry {
            None => Known::New,
            Some((made, order)) if *made == write => Known::Done(*order),
            Some(_) => Known::Mismatch,
        }
    }

    pub(super) fn record(&mut self, owner: Owner, key: Option<&str>, write: Write, outcome: Order) {
        if let Some(key) = key {
            self.0.insert((owner, key.to_owned()), (write, outcome));
        }
    }
}
