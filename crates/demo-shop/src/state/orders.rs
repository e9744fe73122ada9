//! The orders: found by number and by owner, placed, cancelled and moved on.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::ledger::{Known, Ledger, Write};
use super::{Announcements, Stock, lock};
use crate::data::{Order, Product, Status};
use crate::ids::{OWNERS, Owner};

/// Every order.
pub(crate) struct Orders(Mutex<Book>);

struct Book {
    /// Order `o_n` is at index n − 1.
    orders: Vec<Order>,
    /// The numbers of everyone's orders, the oldest first.
    by_owner: Vec<Vec<u32>>,
    ledger: Ledger,
    /// The open orders that were placed since the shop opened, and since when they rest: they move on by themselves.
    fresh: BTreeMap<u32, Instant>,
}

/// Which of somebody's orders are wanted.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Filter {
    pub(crate) status: Option<Status>,
    pub(crate) updated_since: Option<Timestamp>,
    /// Only orders placed before the one with this number.
    pub(crate) before: Option<u32>,
}

/// Why a write was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// There are not enough left.
    OutOfStock,
    /// The order has gone too far.
    NotCancellable(Status),
    /// The key belongs to another write.
    KeyReused,
}

impl Orders {
    pub(super) fn of(orders: &[Order]) -> Self {
        Self(Mutex::new(Book::of(orders)))
    }

    pub(super) fn reset(&self, orders: &[Order]) {
        *lock(&self.0) = Book::of(orders);
    }

    /// The order with this number.
    pub(crate) fn get(&self, number: u32) -> Option<Order> {
        let index = (number as usize).checked_sub(1)?;
        lock(&self.0).orders.get(index).copied()
    }

    /// At most so many of somebody's orders, the newest first.
    pub(crate) fn of_owner(&self, owner: Owner, filter: Filter, count: usize) -> Vec<Order> {
        let book = lock(&self.0);
        let numbers = &book.by_owner[owner.index()];
        let end =
            filter.before.map_or(numbers.len(), |before| numbers.partition_point(|number| *number < before));
        let orders = numbers[..end].iter().rev().map(|number| book.orders[*number as usize - 1]);
        orders.filter(|order| filter.admits(order)).take(count).collect()
    }

    /// Places an order, once per key.
    pub(crate) fn place(
        &self,
        (owner, key): (Owner, Option<&str>),
        (product, quantity): (&Product, u32),
        stock: &Stock,
        announcements: &Announcements,
    ) -> Result<Order, Refusal> {
        let mut book = lock(&self.0);
        let write = Write::Place { product: product.number, quantity };
        match book.ledger.look_up(owner, key, write) {
            Known::Done(order) => return Ok(order),
            Known::Mismatch => return Err(Refusal::KeyReused),
            Known::New => {}
        }
        if !stock.take(product.number, quantity) {
            return Err(Refusal::OutOfStock);
        }
        let order = book.add(owner, product, quantity);
        book.ledger.record(owner, key, write, order);
        announcements.announce(&order);
        Ok(order)
    }

    /// Cancels an order, once per key.
    pub(crate) fn cancel(
        &self,
        (owner, key): (Owner, Option<&str>),
        number: u32,
        stock: &Stock,
        announcements: &Announcements,
    ) -> Result<Order, Refusal> {
        let mut book = lock(&self.0);
        let write = Write::Cancel(number);
        match book.ledger.look_up(owner, key, write) {
            Known::Done(order) => return Ok(order),
            Known::Mismatch => return Err(Refusal::KeyReused),
            Known::New => {}
        }
        let status = book.orders[number as usize - 1].status;
        if !status.can_be_cancelled() {
            return Err(Refusal::NotCancellable(status));
        }
        let order = book.set_status(number, Status::Cancelled);
        stock.put_back(order.product, order.quantity);
        book.ledger.record(owner, key, write, order);
        announcements.announce(&order);
        Ok(order)
    }

    /// Moves on every fresh order that has rested long enough, and one order of everyone who watches.
    pub(crate) fn move_on(&self, rest: Duration, announcements: &Announcements) {
        let mut book = lock(&self.0);
        let rested = |(_, since): &(&u32, &Instant)| since.elapsed() >= rest;
        let mut due: Vec<u32> = book.fresh.iter().filter(rested).map(|(number, _)| *number).collect();
        due.extend(announcements.watchers().into_iter().filter_map(|owner| book.oldest_open(owner)));
        for number in due {
            if let Some(status) = book.orders[number as usize - 1].status.next() {
                let order = book.set_status(number, status);
                announcements.announce(&order);
            }
        }
    }
}

impl Book {
    fn of(orders: &[Order]) -> Self {
        let mut by_owner = vec![Vec::new(); OWNERS];
        for order in orders {
            by_owner[order.owner.index()].push(order.number);
        }
        Self { orders: orders.to_vec(), by_owner, ledger: Ledger::default(), fresh: BTreeMap::new() }
    }

    fn add(&mut self, owner: Owner, product: &Product, quantity: u32) -> Order {
        let number = u32::try_from(self.orders.len() + 1).expect("memory ends before the numbers do");
        let at = now();
        let order = Order {
            number,
            owner,
            product: product.number,
            quantity,
            status: Status::Placed,
            total: i64::from(product.price) * i64::from(quantity),
            currency: product.currency,
            placed_at: at,
            updated_at: at,
        };
        self.orders.push(order);
        self.by_owner[owner.index()].push(number);
        self.fresh.insert(number, Instant::now());
        order
    }

    fn set_status(&mut self, number: u32, status: Status) -> Order {
        let order = &mut self.orders[number as usize - 1];
        order.status = status;
        order.updated_at = now();
        let order = *order;
        if status.next().is_none() {
            self.fresh.remove(&number);
        } else if let Some(since) = self.fresh.get_mut(&number) {
            *since = Instant::now();
        }
        order
    }

    /// The order of the data set that has been open the longest: fresh ones have their own pace.
    fn oldest_open(&self, owner: Owner) -> Option<u32> {
        let numbers = self.by_owner[owner.index()].iter().copied();
        let mut open = numbers.filter(|number| self.orders[*number as usize - 1].status.next().is_some());
        open.find(|number| !self.fresh.contains_key(number))
    }
}

impl Filter {
    fn admits(&self, order: &Order) -> bool {
        self.status.is_none_or(|status| order.status == status)
            && self.updated_since.is_none_or(|since| order.updated_at >= since)
    }
}

/// Now, in whole seconds as all times of the data set: written out, they sort as text too.
fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}
