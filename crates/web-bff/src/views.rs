//! What several pages show in the same way.

use domain_clients::{Money, Order, Product, Promo};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

/// An amount of money.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Money)]
pub(crate) struct MoneyView {
    /// In the currency's major unit, with all its digits.
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

/// A product, as far as lists show it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Product)]
pub(crate) struct ProductView {
    id: String,
    name: String,
    description: String,
    price: MoneyView,
    image_url: Option<String>,
    category: String,
    stock: u32,
    rating: Option<f64>,
}

impl From<Product> for ProductView {
    fn from(product: Product) -> Self {
        Self {
            price: product.price().into(),
            id: product.id.into(),
            name: product.name,
            description: product.description,
            image_url: product.image_url,
            category: product.category.into(),
            stock: product.stock,
            rating: product.rating,
        }
    }
}

/// An order with its product inline.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Order)]
pub(crate) struct OrderView {
    id: String,
    status: String,
    quantity: u32,
    total: MoneyView,
    placed_at: Timestamp,
    updated_at: Timestamp,
    product_id: String,
    /// `null` when the catalog no longer has the product, or cannot be asked.
    product: Option<ProductView>,
}

impl OrderView {
    pub(crate) fn compose(order: Order, product: Option<Product>) -> Self {
        Self {
            total: order.total().into(),
            id: order.id.into(),
            status: order.status,
            quantity: order.quantity,
            placed_at: order.placed_at,
            updated_at: order.updated_at,
            product_id: order.product_id.into(),
            product: product.map(ProductView::from),
        }
    }
}

/// A promotion.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Promo)]
pub(crate) struct PromoView {
    id: String,
    title: String,
    product_id: String,
    discount_percent: u8,
    ends_at: Timestamp,
}

impl From<Promo> for PromoView {
    fn from(promo: Promo) -> Self {
        Self {
            id: promo.id.into(),
            title: promo.title,
            product_id: promo.product_id.into(),
            discount_percent: promo.discount_percent,
            ends_at: promo.ends_at,
        }
    }
}
