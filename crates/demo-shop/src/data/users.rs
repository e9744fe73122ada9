//! The people who shop here.

use jiff::Timestamp;
use serde::Serialize;

use super::dice::Dice;
use super::names::{FIRST, LAST, LOCALES, ODD};
use super::{USERS, before_epoch};
use crate::ids::Id;

const FIRST_ODD: u32 = 100;
const YEARS_5: u32 = 5 * 365 * 24 * 3600;
const YEARS_2: u32 = 2 * 365 * 24 * 3600;

/// A user, as `GET /users/{id}` answers it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct User {
    id: Id,
    first_name: &'static str,
    last_name: &'static str,
    email: String,
    role: &'static str,
    avatar_url: String,
    locale: &'static str,
    created_at: Timestamp,
}

impl User {
    /// First and last name.
    pub(crate) fn name(&self) -> String {
        [self.first_name, self.last_name].join(" ")
    }
}

/// `u_1` to `u_1000`.
pub(super) fn users(seed: u64) -> Vec<User> {
    let mut dice = Dice::new(seed, "users");
    (1..=USERS).map(|number| user(number, &mut dice)).collect()
}

fn user(number: u32, dice: &mut Dice) -> User {
    let rolled = (dice.pick(FIRST), dice.pick(LAST));
    let (first_name, last_name) = match number {
        42 => ("Ada", "Lovelace"),
        n => odd_name(n).unwrap_or(rolled),
    };
    let email = match number {
        42 => "ada.lovelace@example.com".to_owned(),
        n => format!("user.{n}@example.com"),
    };
    let role = match dice.below(100) {
        0 => "admin",
        1..=3 => "support",
        _ => "customer",
    };
    User {
        id: Id::user(number),
        first_name,
        last_name,
        email,
        role: if number == 42 { "customer" } else { role },
        avatar_url: format!("https://images.example.com/avatars/u_{number}.png"),
        locale: if number == 42 { "en-GB" } else { dice.pick(LOCALES) },
        created_at: before_epoch(dice.between(YEARS_2, YEARS_5)),
    }
}

fn odd_name(number: u32) -> Option<(&'static str, &'static str)> {
    let index = number.checked_sub(FIRST_ODD)?;
    ODD.get(index as usize).copied()
}
