//! `/home`, as mobile-bff answers it.

use serde::Serialize;
use serde_json::value::RawValue;
use tokio::try_join;

use super::money::decimal;
use super::shop::{Order, Promo, Shop};
use crate::Failure;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Home {
    greeting: String,
    avatar: Option<String>,
    recent_orders: Vec<RecentOrder>,
    promos: Vec<HomePromo>,
    unread: u64,
}

#[derive(Serialize)]
struct RecentOrder {
    id: String,
    status: String,
    total: Box<RawValue>,
    currency: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HomePromo {
    id: String,
    title: String,
    discount_percent: u8,
}

pub(super) async fn get(shop: &Shop) -> Result<Home, Failure> {
    let (user, orders, promos, notifications) =
        try_join!(shop.user(), shop.orders(3), shop.promos(), shop.unread(1))?;
    Ok(Home {
        greeting: format!("Hi {}", user.first_name),
        avatar: user.avatar_url,
        recent_orders: orders.into_iter().map(RecentOrder::new).collect::<Result<_, _>>()?,
        promos: promos.into_iter().take(2).map(HomePromo::from).collect(),
        unread: notifications.unread_count,
    })
}

impl RecentOrder {
    fn new(order: Order) -> Result<Self, Failure> {
        let total = RawValue::from_string(decimal(order.total_cents, &order.currency))?;
        Ok(Self { id: order.id, status: order.status, total, currency: order.currency })
    }
}

impl From<Promo> for HomePromo {
    fn from(promo: Promo) -> Self {
        Self { id: promo.id, title: promo.title, discount_percent: promo.discount_percent }
    }
}
