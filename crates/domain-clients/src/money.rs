//! Amounts of money: integer minor units and an ISO 4217 currency.

use std::fmt;

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// An ISO 4217 currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Currency(iso_currency::Currency);

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_str(CodeVisitor)
    }
}

struct CodeVisitor;

impl Visitor<'_> for CodeVisitor {
    type Value = Currency;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an ISO 4217 currency code")
    }

    fn visit_str<E: Error>(self, code: &str) -> Result<Currency, E> {
        let currency = iso_currency::Currency::from_code(code).map(Currency);
        currency.ok_or_else(|| E::invalid_value(Unexpected::Str(code), &self))
    }
}

impl Currency {
    /// The three-letter code.
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// How many decimal digits the minor unit has: two for EUR, none for JPY, three for KWD.
    pub fn exponent(self) -> u32 {
        self.0.exponent().unwrap_or(0).into()
    }
}

/// An amount in a currency's minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Money {
    /// Cents, yen, fils: whatever the currency's smallest unit is.
    pub minor: i64,
    /// The currency.
    pub currency: Currency,
}

impl Money {
    /// The amount in major units, with exactly the digits that the currency has: `42.00`, `42`, `-0.005`.
    pub fn decimal(self) -> String {
        let digits = self.currency.exponent() as usize;
        let sign = if self.minor < 0 { "-" } else { "" };
        let minor = self.minor.unsigned_abs();
        if digits == 0 {
            return format!("{sign}{minor}");
        }
        let unit = 10_u64.pow(self.currency.exponent());
        format!("{sign}{}.{:0digits$}", minor / unit, minor % unit)
    }

    /// The amount in major units as a JSON number, exact whatever its size.
    pub fn number(self) -> Box<RawValue> {
        RawValue::from_string(self.decimal()).expect("digits with at most one point are a JSON number")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn currency(code: &str) -> Result<Currency, serde_json::Error> {
        serde_json::from_value(code.into())
    }

    #[test]
    fn amounts_have_the_digits_of_their_currency() {
        for (minor, code, expected) in [
            (4200, "EUR", "42.00"),
            (5, "USD", "0.05"),
            (-5, "USD", "-0.05"),
            (0, "GBP", "0.00"),
            (4200, "JPY", "4200"),
            (4200, "KWD", "4.200"),
            (-1, "KWD", "-0.001"),
            (i64::MIN, "EUR", "-92233720368547758.08"),
            (i64::MAX, "JPY", "9223372036854775807"),
        ] {
            let money = Money { minor, currency: currency(code).unwrap() };
            assert_eq!(money.decimal(), expected);
            assert_eq!(money.number().get(), expected);
        }
    }

    #[test]
    fn a_currency_is_a_known_code() {
        for bad in ["", "eur", "EURO", "???"] {
            assert!(currency(bad).is_err(), "{bad:?} was taken");
        }
    }
}
