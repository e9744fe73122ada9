//! Typed calls and contracts of the domain services: what an adopter replaces.
//!
//! One file per service. Each has the operations, the types of their answers with the constraints
//! that we rely on, and nothing that we do not use: a service may add what it likes.

mod billing;
mod catalog;
pub mod contracts;
mod ids;
mod money;
mod notifications;
mod orders;
mod page;
mod usage;
mod users;

pub use billing::{Billing, BillingAccount, PaymentMethod};
pub use catalog::{Catalog, Product, ProductSearch, Products, Promo, Words};
pub use ids::{BadId, NotificationId, OrderId, ProductId, PromoId};
pub use money::{Currency, Money};
pub use notifications::{Notification, NotificationList, Notifications};
pub use orders::{NewOrder, Order, OrderEvent, OrderFilter, Orders};
pub use page::{Cursor, Page};
pub use usage::{Period, Usage, UsageReport};
pub use users::{User, Users};

use upstream_client::Refusal;
pub use upstream_client::{
    CacheSettings, CallError, CallErrorKind, Event, EventId, Events, Outbound, UpstreamSettings,
};

/// Every refusal with a name of its own, for the documented list of problems.
pub const REFUSALS: &[&[Refusal]] = &[orders::PLACE_REFUSALS, orders::CANCEL_REFUSALS];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_is_documented() {
        let documented = include_str!("../../../docs/problems.md");
        for refusal in REFUSALS.iter().copied().flatten() {
            let row = format!("| `{}` | {} |", refusal.code, refusal.reason.status().as_u16());
            assert!(documented.contains(&row), "docs/problems.md lacks {row}");
        }
    }
}
