//! Two years of orders.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::dice::Dice;
use super::money::Currency;
use super::products::Product;
use super::{EPOCH, NEWCOMER, ORDERS, PRODUCTS, SOLD_OUT, USERS, before_epoch};
use crate::ids::Owner;

const DAY: u32 = 24 * 3600;
const YEARS_2: u32 = 2 * 365 * DAY;
const GONE: u32 = 9001;
const ADAS_ORDERS: u32 = 72;
const ACCOUNT_ORDERS: u32 = 80;

/// How far an order has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    Placed,
    Paid,
    Shipped,
    Delivered,
    Cancelled,
}

impl Status {
    /// What comes next by itself.
    pub(crate) fn next(self) -> Option<Self> {
        match self {
            Self::Placed => Some(Self::Paid),
            Self::Paid => Some(Self::Shipped),
            Self::Shipped => Some(Self::Delivered),
            Self::Delivered | Self::Cancelled => None,
        }
    }

    /// Whether it is early enough to think better of it.
    pub(crate) fn can_be_cancelled(self) -> bool {
        matches!(self, Self::Placed | Self::Paid)
    }
}

/// An order, with everything that its answer needs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Order {
    pub(crate) number: u32,
    pub(crate) owner: Owner,
    pub(crate) product: u32,
    pub(crate) quantity: u32,
    pub(crate) status: Status,
    pub(crate) total: i64,
    pub(crate) currency: Currency,
    pub(crate) placed_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

/// `o_1`, the oldest, to `o_20000`, the newest.
pub(super) fn orders(seed: u64, products: &[Product]) -> Vec<Order> {
    let mut dice = Dice::new(seed, "orders");
    let mut ages: Vec<u32> = (0..ORDERS).map(|_| dice.between(60, YEARS_2)).collect();
    ages.sort_unstable_by(|a, b| b.cmp(a));
    let owners = owners(&mut dice);
    let mut orders: Vec<Order> = (1..=ORDERS)
        .zip(ages)
        .zip(owners)
        .map(|((number, age), owner)| order(number, age, owner, products, &mut dice))
        .collect();
    tell_adas_story(&mut orders, products);
    orders
}

/// Some order much and most order little, but Ada and the accounts have theirs spread over the whole time.
fn owners(dice: &mut Dice) -> Vec<Owner> {
    let mut owners: Vec<Owner> = (0..ORDERS).map(|_| somebody(dice)).collect();
    let newest = owners.len() - 1;
    for (offset, account) in Owner::accounts().enumerate() {
        for nth in 0..ACCOUNT_ORDERS as usize {
            owners[newest - offset - 3 - nth * 241] = account;
        }
    }
    for nth in 0..ADAS_ORDERS as usize {
        // Dense lately, sparse long ago.
        owners[newest - 1 - nth - nth * nth * 39 / 10] = Owner::ADA;
    }
    owners
}

fn somebody(dice: &mut Dice) -> Owner {
    loop {
        let (across, down) = (dice.below(USERS), dice.below(USERS));
        // The product of two even rolls favours small numbers.
        let number = across * down / USERS + 1;
        match Owner::user(number) {
            Some(owner) if number != NEWCOMER && owner != Owner::ADA => break owner,
            _ => {}
        }
    }
}

fn order(number: u32, age: u32, owner: Owner, products: &[Product], dice: &mut Dice) -> Order {
    let product = if dice.percent(1) { GONE + dice.below(9) } else { dice.between(1, PRODUCTS) };
    let quantity = if dice.percent(75) { 1 } else { dice.between(2, 5) };
    let status = status(age, dice);
    let placed_at = before_epoch(age);
    let mut order = Order {
        number,
        owner,
        product,
        quantity,
        status,
        total: 0,
        currency: Currency::Eur,
        placed_at,
        updated_at: (placed_at + since_placed(status, dice)).min(EPOCH),
    };
    price(&mut order, products);
    order
}

fn status(age: u32, dice: &mut Dice) -> Status {
    if dice.percent(6) {
        return Status::Cancelled;
    }
    match age / DAY {
        0 => Status::Placed,
        1 => Status::Paid,
        2..=5 => Status::Shipped,
        _ => Status::Delivered,
    }
}

fn since_placed(status: Status, dice: &mut Dice) -> Duration {
    let most = match status {
        Status::Placed => 0,
        Status::Paid | Status::Cancelled => DAY,
        Status::Shipped => 2 * DAY,
        Status::Delivered => 6 * DAY,
    };
    Duration::from_secs(u64::from(dice.between(most / 3, most)))
}

fn price(order: &mut Order, products: &[Product]) {
    let known = products.get(order.product as usize - 1);
    let (price, currency) = known.map_or((1999, Currency::Eur), |product| (product.price, product.currency));
    order.total = i64::from(price) * i64::from(order.quantity);
    order.currency = currency;
}

/// The latest 50 of Ada's orders hold exactly one product that is gone, and the latest three none.
fn tell_adas_story(orders: &mut [Order], products: &[Product]) {
    let hers = orders.iter_mut().rev().filter(|order| order.owner == Owner::ADA);
    for (nth, order) in (0_u32..50).zip(hers) {
        match nth {
            7 => order.product = GONE,
            _ if order.product > PRODUCTS || (nth < 3 && !is_ordinary(order.product)) => {
                order.product = nth + 2;
            }
            _ => continue,
        }
        price(order, products);
    }
}

/// Neither one with an odd name nor the one that is sold out.
fn is_ordinary(product: u32) -> bool {
    !product.is_multiple_of(40) && !product.is_multiple_of(50) && product % 50 != 25 && product != SOLD_OUT
}
