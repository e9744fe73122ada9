//! The billing service.

use std::time::Duration;

use garde::Validate;
use jiff::Timestamp;
use request_context::RequestContext;
use serde::Deserialize;
use upstream_client::{BadUpstream, Cached, CallError, Operation, Outbound, Upstream, UpstreamSettings};

use crate::{Currency, Money};

pub(crate) static GET: Operation = Operation::get("billing.get", "/accounts/{}/billing").cached(
    Cached::per_subject()
        .fresh_for(Duration::from_secs(10))
        .stale_if_error(Duration::from_hours(1))
        .tags(&["billing:{subject}"]),
);

/// The client of the billing service.
#[derive(Clone)]
pub struct Billing(Upstream);

impl Billing {
    /// The client for the service at `settings.url`.
    pub fn new(settings: &UpstreamSettings, outbound: &Outbound) -> Result<Self, BadUpstream> {
        Upstream::new("billing", settings, outbound).map(Self)
    }

    /// The caller's own account.
    pub async fn account(&self, ctx: &RequestContext) -> Result<BillingAccount, CallError> {
        self.0.call(ctx, &GET).caller_segment().fetch().await
    }
}

/// What an account pays for.
#[derive(Clone, Debug, Deserialize, Validate)]
#[serde(rename_all = "camelCase")]
pub struct BillingAccount {
    /// The plan, for example `pro`.
    #[garde(length(min = 1, max = 100))]
    pub plan: String,
    /// `active`, `past_due`, or a status that is yet to be invented.
    #[garde(length(min = 1, max = 40))]
    pub status: String,
    #[garde(skip)]
    balance_cents: i64,
    #[garde(skip)]
    currency: Currency,
    /// When the next invoice comes, if one does.
    #[garde(skip)]
    pub next_invoice_at: Option<Timestamp>,
    /// What is charged.
    #[garde(dive)]
    pub payment_method: Option<PaymentMethod>,
}

impl BillingAccount {
    /// What the account is owed, or owes when negative.
    pub fn balance(&self) -> Money {
        Money { minor: self.balance_cents, currency: self.currency }
    }
}

/// A means of payment, as much of it as may be shown.
#[derive(Clone, Debug, Deserialize, Validate)]
pub struct PaymentMethod {
    /// The card's brand.
    #[garde(length(max = 100))]
    pub brand: String,
    /// The last four digits.
    #[garde(length(min = 4, max = 4))]
    pub last4: String,
}
