//! What is on offer.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use super::dice::Dice;
use super::{EPOCH, before_epoch};
use crate::ids::Id;

const DAY: u32 = 24 * 3600;
const FIVE_YEARS: u64 = 5 * 365 * 24 * 3600;
const TITLES: &[&str] = &[
    "Autumn clearance",
    "Free your desk",
    "Tea time ☕ – two for less",
    "Für Frühaufsteher",
    "Back to the garden",
    "冬のセール",
    "Last chance: the very last of them, until we find more of them in the back of the warehouse",
    "Birthday week",
];

/// An offer, as `GET /promos` answers it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Promo {
    id: Id,
    title: &'static str,
    product_id: Id,
    discount_percent: u32,
    pub(crate) ends_at: Timestamp,
}

/// Every third has ended; the others outlive the data set's usefulness, so that answers stay the same.
pub(super) fn promos(seed: u64) -> Vec<Promo> {
    let mut dice = Dice::new(seed, "promos");
    (1_u32..).zip(TITLES).map(|(number, title)| promo(number, title, &mut dice)).collect()
}

fn promo(number: u32, title: &'static str, dice: &mut Dice) -> Promo {
    let days = dice.between(1, 90) * DAY;
    let ends_at = match number % 3 {
        0 => before_epoch(days),
        _ => EPOCH + Duration::from_secs(FIVE_YEARS + u64::from(days)),
    };
    Promo {
        id: Id::promo(number),
        title,
        product_id: Id::product(dice.between(1, super::PRODUCTS)),
        discount_percent: dice.between(1, 14) * 5,
        ends_at,
    }
}
