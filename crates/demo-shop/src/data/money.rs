//! Currencies, and what is an ordinary price in them.

use serde::Serialize;

use super::dice::Dice;

/// ISO 4217 codes that differ in their minor unit: JPY has none, KWD has three digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Currency {
    Eur,
    Usd,
    Gbp,
    Jpy,
    Kwd,
}

impl Currency {
    /// Mostly EUR, USD and GBP.
    pub(super) fn rolled(dice: &mut Dice) -> Self {
        match dice.below(100) {
            0..=44 => Self::Eur,
            45..=69 => Self::Usd,
            70..=89 => Self::Gbp,
            90..=95 => Self::Jpy,
            _ => Self::Kwd,
        }
    }

    /// A price in minor units.
    pub(super) fn price(self, dice: &mut Dice) -> u32 {
        match self {
            Self::Eur | Self::Usd | Self::Gbp => match dice.below(3) {
                0 => dice.between(2, 150) * 100,
                1 => dice.between(2, 400) * 100 - 1,
                _ => dice.between(150, 40_000),
            },
            Self::Jpy => dice.between(3, 600) * 100,
            Self::Kwd => dice.between(500, 120_000),
        }
    }
}
