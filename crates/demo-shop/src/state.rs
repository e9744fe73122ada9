//! What changes while the shop is open. Each part has its own lock; where two are held, it is always
//! the orders' first and then the stock's or the announcements'.

mod announcements;
mod inbox;
mod ledger;
mod orders;
mod stock;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

pub(crate) use announcements::{Announcement, Announcements};
pub(crate) use inbox::Inbox;
pub(crate) use orders::{Filter, Orders, Refusal};
pub(crate) use stock::Stock;

use crate::data::World;

/// The shop of one process. Orders and catalog share the stock; a catalog in another process has its own.
pub(crate) struct Shop {
    pub(crate) world: World,
    pub(crate) stock: Stock,
    pub(crate) orders: Orders,
    pub(crate) inbox: Inbox,
    pub(crate) announcements: Announcements,
    /// How long an event stream is silent before a comment shows that it lives.
    pub(crate) heartbeat: Duration,
    /// Cancelled when the shop closes: what would run for ever ends then.
    pub(crate) closing: CancellationToken,
}

impl Shop {
    /// A shop as it is when it opens.
    pub(crate) fn open(seed: u64, heartbeat: Duration, closing: CancellationToken) -> Self {
        let world = World::new(seed);
        Self {
            stock: Stock::of(&world.products),
            orders: Orders::of(&world.orders),
            inbox: Inbox::of(&world.notifications),
            announcements: Announcements::default(),
            world,
            heartbeat,
            closing,
        }
    }

    /// Puts everything back to how it was when the shop opened.
    pub(crate) fn reset(&self) {
        self.orders.reset(&self.world.orders);
        self.stock.reset(&self.world.products);
        self.inbox.reset(&self.world.notifications);
        self.announcements.forget();
    }
}

/// The data stays usable when a handler panicked: every change below is a single step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
