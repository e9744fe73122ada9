//! What the catalog holds.

use super::dice::Dice;
use super::goods::{ODD, QUALITIES, SENTENCES, SHELVES, STUFFS};
use super::money::Currency;
use super::{PRODUCTS, SOLD_OUT};

/// A product without its stock, which changes: see `Stock`.
#[derive(Clone, Debug)]
pub(crate) struct Product {
    pub(crate) number: u32,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) price: u32,
    pub(crate) currency: Currency,
    pub(crate) category: &'static str,
    pub(crate) rating: f64,
    /// How many there are at the start.
    pub(crate) stock: u32,
    /// Name, description and category in lower case: what a search looks through.
    pub(crate) haystack: String,
}

/// `p_1` to `p_500`.
pub(super) fn products(seed: u64) -> Vec<Product> {
    let mut dice = Dice::new(seed, "products");
    (1..=PRODUCTS).map(|number| product(number, &mut dice)).collect()
}

fn product(number: u32, dice: &mut Dice) -> Product {
    let (category, things) = SHELVES[dice.below(8) as usize];
    let ordinary = format!("{} {} {}", dice.pick(QUALITIES), dice.pick(STUFFS), dice.pick(things));
    let name = odd_name(number).map_or(ordinary, str::to_owned);
    let description = description(number, dice);
    let currency = Currency::rolled(dice);
    let price = currency.price(dice);
    Product {
        number,
        price: if number == 1 { 4200 } else { price },
        currency: if number == 1 { Currency::Eur } else { currency },
        category,
        rating: f64::from(dice.between(18, 50)) / 10.0,
        stock: stock(number, dice),
        haystack: format!("{name}\n{description}\n{category}").to_lowercase(),
        name,
        description,
    }
}

fn odd_name(number: u32) -> Option<&'static str> {
    let index = (number / 40) as usize;
    number.is_multiple_of(40).then(|| ODD[(index - 1) % ODD.len()])
}

fn description(number: u32, dice: &mut Dice) -> String {
    let sentences = match number % 50 {
        0 => 60,
        25 => 0,
        _ => dice.between(1, 4),
    };
    let chosen: Vec<&str> = (0..sentences).map(|_| dice.pick(SENTENCES)).collect();
    chosen.join(" ")
}

/// `p_1` never runs out, one is always sold out, and so are some others.
fn stock(number: u32, dice: &mut Dice) -> u32 {
    let rolled = if dice.percent(5) { 0 } else { dice.between(1, 400) };
    match number {
        1 => 1_000_000,
        SOLD_OUT => 0,
        2..=9 => rolled.max(100),
        _ => rolled,
    }
}
