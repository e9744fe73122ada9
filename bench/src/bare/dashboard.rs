//! `/dashboard`, as web-bff answers it.

use std::collections::{BTreeSet, HashMap};

use serde::Serialize;
use tokio::try_join;

use super::money::Money;
use super::shop::{Billing, Notification, Order, Product, Promo, Shop, Usage, User};
use crate::Failure;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Dashboard {
    user: UserView,
    account_summary: AccountSummary,
    unread_notifications: Vec<NotificationView>,
    orders: Vec<OrderView>,
    promos: Vec<PromoView>,
    warnings: Vec<Warning>,
}

#[derive(Serialize)]
struct UserView {
    id: String,
    name: String,
    role: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AccountSummary {
    plan: String,
    status: String,
    balance: Money,
    next_invoice_at: Option<String>,
    payment_method: Option<PaymentMethodView>,
    usage: UsageView,
}

#[derive(Serialize)]
struct PaymentMethodView {
    brand: String,
    last4: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UsageView {
    from: String,
    to: String,
    orders_placed: u64,
    api_calls: u64,
    api_call_limit: u64,
    storage_bytes: u64,
    storage_limit_bytes: u64,
}

#[derive(Serialize)]
struct NotificationView {
    id: String,
    title: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OrderView {
    id: String,
    status: String,
    quantity: u32,
    total: Money,
    placed_at: String,
    updated_at: String,
    product_id: String,
    product: Option<ProductView>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProductView {
    id: String,
    name: String,
    description: String,
    price: Money,
    image_url: Option<String>,
    category: String,
    stock: u32,
    rating: Option<f64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PromoView {
    id: String,
    title: String,
    product_id: String,
    discount_percent: u8,
    ends_at: String,
}

#[derive(Serialize)]
struct Warning {
    section: &'static str,
    status: &'static str,
    message: &'static str,
    retryable: bool,
}

/// The one warning that the demo's data leads to: an order whose product the catalog no longer has.
const PRODUCT_GONE: Warning = Warning {
    section: "orders.product",
    status: "not_found",
    message: "This part does not exist any more.",
    retryable: false,
};

pub(super) async fn get(shop: &Shop) -> Result<Dashboard, Failure> {
    let (user, billing, usage, notifications, orders, promos) = try_join!(
        shop.user(),
        shop.billing(),
        shop.usage(),
        shop.unread(20),
        orders_with_products(shop),
        shop.promos()
    )?;
    let product_gone = orders.iter().any(|order| order.product.is_none());
    Ok(Dashboard {
        user: user.into(),
        account_summary: AccountSummary::new(billing, usage),
        unread_notifications: notifications.items.into_iter().map(NotificationView::from).collect(),
        orders,
        promos: promos.into_iter().map(PromoView::from).collect(),
        warnings: product_gone.then_some(PRODUCT_GONE).into_iter().collect(),
    })
}

async fn orders_with_products(shop: &Shop) -> Result<Vec<OrderView>, Failure> {
    let orders = shop.orders(50).await?;
    let ids: BTreeSet<&str> = orders.iter().map(|order| order.product_id.as_str()).collect();
    let products = shop.products(&ids.into_iter().collect::<Vec<_>>()).await?;
    let products: HashMap<String, Product> =
        products.into_iter().map(|product| (product.id.clone(), product)).collect();
    let view = |order: Order| {
        let product = products.get(&order.product_id).cloned();
        OrderView::new(order, product)
    };
    Ok(orders.into_iter().map(view).collect())
}

impl From<User> for UserView {
    fn from(user: User) -> Self {
        Self { name: format!("{} {}", user.first_name, user.last_name), id: user.id, role: user.role }
    }
}

impl AccountSummary {
    fn new(billing: Billing, usage: Usage) -> Self {
        let payment_method = billing.payment_method;
        Self {
            plan: billing.plan,
            status: billing.status,
            balance: Money::new(billing.balance_cents, billing.currency),
            next_invoice_at: billing.next_invoice_at,
            payment_method: payment_method
                .map(|method| PaymentMethodView { brand: method.brand, last4: method.last4 }),
            usage: usage.into(),
        }
    }
}

impl From<Usage> for UsageView {
    fn from(usage: Usage) -> Self {
        Self {
            from: usage.period.from,
            to: usage.period.to,
            orders_placed: usage.orders_placed,
            api_calls: usage.api_calls,
            api_call_limit: usage.api_call_limit,
            storage_bytes: usage.storage_bytes,
            storage_limit_bytes: usage.storage_limit_bytes,
        }
    }
}

impl From<Notification> for NotificationView {
    fn from(notification: Notification) -> Self {
        Self { id: notification.id, title: notification.title }
    }
}

impl OrderView {
    fn new(order: Order, product: Option<Product>) -> Self {
        Self {
            id: order.id,
            status: order.status,
            quantity: order.quantity,
            total: Money::new(order.total_cents, order.currency),
            placed_at: order.placed_at,
            updated_at: order.updated_at,
            product_id: order.product_id,
            product: product.map(ProductView::from),
        }
    }
}

impl From<Product> for ProductView {
    fn from(product: Product) -> Self {
        Self {
            id: product.id,
            name: product.name,
            description: product.description,
            price: Money::new(product.price_cents, product.currency),
            image_url: product.image_url,
            category: product.category,
            stock: product.stock,
            rating: product.rating,
        }
    }
}

impl From<Promo> for PromoView {
    fn from(promo: Promo) -> Self {
        Self {
            id: promo.id,
            title: promo.title,
            product_id: promo.product_id,
            discount_percent: promo.discount_percent,
            ends_at: promo.ends_at,
        }
    }
}
