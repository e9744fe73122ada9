//! What people have been told.

use jiff::Timestamp;

use super::before_epoch;
use super::dice::Dice;
use super::orders::Order;
use crate::ids::{Id, OWNERS, Owner};

const DAYS_60: u32 = 60 * 24 * 3600;
const NEWS: &[(&str, &str)] = &[
    ("Price drop", "Something on your list costs less today."),
    ("Back in stock", "It is here again, but not for long."),
    ("Your invoice is ready", "You find it in your account."),
    (
        "We changed our terms",
        "Nothing that you would notice. The whole text is 14,000 words long and waits for you.",
    ),
    ("🎉 A year with us!", "Thank you. Here is a smile: 🙂"),
    ("通知", "お荷物が届きました。"),
    ("إشعار", "تم شحن طلبك."),
    (
        "A title that somebody pasted the whole message into, because the form had two fields and only one of them \
         was required, and so it goes on and on, and then some more, until it ends here",
        "",
    ),
];

/// A notification without whether it was read, which changes: see `Inbox`.
#[derive(Clone, Debug)]
pub(crate) struct Notification {
    pub(crate) number: u32,
    pub(crate) owner: Owner,
    pub(crate) title: String,
    pub(crate) body: &'static str,
    pub(crate) read_at_start: bool,
    pub(crate) created_at: Timestamp,
}

/// Up to a dozen for everyone; for Ada nine, of which four are unread.
pub(super) fn notifications(seed: u64, orders: &[Order]) -> Vec<Notification> {
    let mut dice = Dice::new(seed, "notifications");
    let orders = by_owner(orders);
    let mut all = Vec::new();
    for owner in Owner::all() {
        let ada = owner == Owner::ADA;
        let count = if ada { 9 } else { dice.below(13) };
        for nth in 0..count {
            let created_at = before_epoch(dice.between(60, DAYS_60));
            let (title, body) = message(&orders[owner.index()], created_at, &mut dice);
            let read_at_start = if ada { nth > 3 } else { dice.percent(70) };
            all.push(Notification { number: 0, owner, title, body, read_at_start, created_at });
        }
    }
    all.sort_by_key(|notification| notification.created_at);
    (1..).zip(&mut all).for_each(|(number, notification)| notification.number = number);
    all
}

/// News of the latest order that there was by then, or just news.
fn message(orders: &[&Order], at: Timestamp, dice: &mut Dice) -> (String, &'static str) {
    let by_then = orders.partition_point(|order| order.placed_at < at);
    match orders[..by_then].last() {
        Some(order) if dice.percent(40) => {
            (format!("We have your order {}", Id::order(order.number)), "Follow it in your account.")
        }
        _ => {
            let (title, body) = NEWS[dice.below(8) as usize];
            (title.to_owned(), body)
        }
    }
}

fn by_owner(orders: &[Order]) -> Vec<Vec<&Order>> {
    let mut by_owner = vec![Vec::new(); OWNERS];
    for order in orders {
        by_owner[order.owner.index()].push(order);
    }
    by_owner
}
