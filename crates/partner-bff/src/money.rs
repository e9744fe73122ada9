//! Money as partners see it.

use domain_clients::Money;
use serde::Serialize;
use utoipa::ToSchema;

/// An amount of money.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Money)]
pub(crate) struct MoneyView {
    /// In the currency's major unit, with exactly the digits that the currency has: a text, so that no digit is lost.
    #[schema(example = "42.00")]
    amount: String,
    /// ISO 4217.
    #[schema(example = "EUR")]
    currency: &'static str,
}

impl From<Money> for MoneyView {
    fn from(money: Money) -> Self {
        Self { amount: money.decimal(), currency: money.currency.code() }
    }
}
