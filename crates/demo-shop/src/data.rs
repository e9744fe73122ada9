//! The data set: the same for the same seed, and like life.
//!
//! What others may rely on, whatever the seed: `u_42` is Ada Lovelace with at least 60 orders, of which
//! the latest three are of ordinary products and exactly one of the latest 50 is of a product that the
//! catalog no longer has (`p_9001`); `u_100` and the users after it have odd names; `u_1000` never
//! ordered; `p_1` costs 42.00 EUR and never runs out; `p_13` is sold out; the accounts own at least 60
//! orders each; at least two promos run.

mod accounts;
mod dice;
mod goods;
mod money;
mod names;
mod notifications;
mod orders;
mod products;
mod promos;
mod users;

use std::time::Duration;

use jiff::Timestamp;

pub(crate) use accounts::{Billing, Usage};
pub(crate) use dice::Dice;
pub(crate) use money::Currency;
pub(crate) use notifications::Notification;
pub(crate) use orders::{Order, Status};
pub(crate) use products::Product;
pub(crate) use promos::Promo;
pub(crate) use users::User;

use crate::ids::Owner;

/// The moment up to which the data set's history reaches: fixed, so that answers are stable.
pub(crate) const EPOCH: Timestamp = Timestamp::constant(1_793_491_200, 0); // 2026-11-01T00:00:00Z

pub(crate) const USERS: u32 = 1000;
const PRODUCTS: u32 = 500;
const ORDERS: u32 = 20_000;
/// The product of which there is never any.
const SOLD_OUT: u32 = 13;
/// The user who never ordered anything.
const NEWCOMER: u32 = 1000;

/// Everything there is when the shop opens.
pub(crate) struct World {
    pub(crate) users: Vec<User>,
    pub(crate) products: Vec<Product>,
    /// The oldest first: order `o_n` is at index n − 1.
    pub(crate) orders: Vec<Order>,
    pub(crate) promos: Vec<Promo>,
    /// Notification `n_n` is at index n − 1.
    pub(crate) notifications: Vec<Notification>,
    /// By owner.
    pub(crate) billing: Vec<Billing>,
    /// By owner.
    pub(crate) usage: Vec<Usage>,
}

impl World {
    /// The shop that this seed stands for.
    pub(crate) fn new(seed: u64) -> Self {
        let products = products::products(seed);
        let orders = orders::orders(seed, &products);
        Self {
            users: users::users(seed),
            promos: promos::promos(seed),
            notifications: notifications::notifications(seed, &orders),
            billing: accounts::billing(seed),
            usage: accounts::usage(seed, &orders),
            products,
            orders,
        }
    }
}

/// Whether a user exists.
pub(crate) fn is_user(owner: Owner) -> bool {
    owner.index() < USERS as usize
}

fn before_epoch(seconds: u32) -> Timestamp {
    EPOCH - Duration::from_secs(u64::from(seconds))
}

#[cfg(test)]
mod tests;
