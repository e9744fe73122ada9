//! What everyone pays and uses.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use super::dice::Dice;
use super::money::Currency;
use super::orders::Order;
use super::{EPOCH, before_epoch, is_user};
use crate::ids::{OWNERS, Owner};

const DAY: u32 = 24 * 3600;
const MONTH: u32 = 31 * DAY;

/// As `GET /accounts/{userId}/billing` answers it. A negative balance is a debt.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Billing {
    plan: &'static str,
    status: &'static str,
    balance_cents: i64,
    currency: Currency,
    next_invoice_at: Timestamp,
    payment_method: PaymentMethod,
}

#[derive(Clone, Debug, Serialize)]
struct PaymentMethod {
    brand: &'static str,
    last4: String,
}

/// As `GET /accounts/{userId}/usage` answers it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Usage {
    period: Period,
    orders_placed: u32,
    api_calls: u32,
    api_call_limit: u32,
    storage_bytes: u64,
    storage_limit_bytes: u64,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct Period {
    from: Timestamp,
    to: Timestamp,
}

/// One for every owner, in the order of the table.
pub(super) fn billing(seed: u64) -> Vec<Billing> {
    let mut dice = Dice::new(seed, "billing");
    Owner::all().map(|owner| billing_of(owner, &mut dice)).collect()
}

fn billing_of(owner: Owner, dice: &mut Dice) -> Billing {
    let ada = owner == Owner::ADA;
    let rolled_plan = dice.pick(&["free", "free", "plus", "plus", "family"]);
    let rolled_status = dice.pick(&["active", "active", "active", "past_due", "cancelled"]);
    let currency = Currency::rolled(dice);
    let debt = i64::from(dice.below(30_000));
    Billing {
        plan: match (is_user(owner), ada) {
            (false, _) => "business",
            (true, true) => "plus",
            (true, false) => rolled_plan,
        },
        status: if ada || !is_user(owner) { "active" } else { rolled_status },
        balance_cents: i64::from(dice.below(100_000)) - debt,
        currency: if ada { Currency::Eur } else { currency },
        next_invoice_at: EPOCH + Duration::from_secs(u64::from(dice.between(DAY, MONTH))),
        payment_method: PaymentMethod {
            brand: dice.pick(&["visa", "mastercard", "amex", "sepa_debit"]),
            last4: format!("{:04}", dice.below(10_000)),
        },
    }
}

/// One for every owner, in the order of the table.
pub(super) fn usage(seed: u64, orders: &[Order]) -> Vec<Usage> {
    let mut dice = Dice::new(seed, "usage");
    let period = Period { from: before_epoch(MONTH), to: EPOCH };
    let mut placed = vec![0; OWNERS];
    for order in orders.iter().rev().take_while(|order| order.placed_at >= period.from) {
        placed[order.owner.index()] += 1;
    }
    Owner::all().zip(placed).map(|(owner, placed)| usage_of(owner, period, placed, &mut dice)).collect()
}

fn usage_of(owner: Owner, period: Period, orders_placed: u32, dice: &mut Dice) -> Usage {
    let (api_call_limit, storage_limit_bytes) =
        if is_user(owner) { (10_000, 5 << 30) } else { (1_000_000, 500 << 30) };
    let storage_share = u64::from(dice.below(1000));
    Usage {
        period,
        orders_placed,
        api_calls: dice.below(api_call_limit),
        api_call_limit,
        storage_bytes: storage_limit_bytes / 1000 * storage_share,
        storage_limit_bytes,
    }
}
