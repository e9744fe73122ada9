//! Amounts of money.

use serde::Serialize;

/// An amount as pages show it.
#[derive(Debug, Serialize)]
pub(super) struct Money {
    amount: String,
    currency: String,
}

impl Money {
    pub(super) fn new(minor: i64, currency: String) -> Self {
        Self { amount: decimal(minor, &currency), currency }
    }
}

/// The amount in major units, with the digits that the currency has.
pub(super) fn decimal(minor: i64, currency: &str) -> String {
    let digits = match currency {
        "JPY" | "KRW" => return minor.to_string(),
        "BHD" | "KWD" => 3,
        _ => 2,
    };
    let unit = 10_u64.pow(digits);
    let sign = if minor < 0 { "-" } else { "" };
    let minor = minor.unsigned_abs();
    format!("{sign}{}.{:02$}", minor / unit, minor % unit, digits as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_the_digits_of_their_currency() {
        for (minor, currency, expected) in
            [(4200, "EUR", "42.00"), (-5, "USD", "-0.05"), (42, "JPY", "42"), (4200, "KWD", "4.200")]
        {
            assert_eq!(decimal(minor, currency), expected);
        }
    }
}
