//! The catalog service. Its answers are the same for everybody.

use garde::Validate;
use jiff::Timestamp;
use request_context::RequestContext;
use serde::Deserialize;
use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::time::Duration;
use upstream_client::{
    BadUpstream, Batch, Cached, CallError, Operation, Outbound, Upstream, UpstreamSettings,
};

use crate::{Currency, Cursor, Money, Page, ProductId, PromoId};

/// What is the same for everybody changes rarely; stock alone may be some seconds old.
const PRODUCTS: Cached = Cached::public()
    .fresh_for(Duration::from_secs(10))
    .stale_while_revalidate(Duration::from_secs(50))
    .stale_if_error(Duration::from_hours(1))
    .tags(&["products"]);
const OFFERS: Cached = Cached::public()
    .fresh_for(Duration::from_secs(30))
    .stale_while_revalidate(Duration::from_mins(5))
    .stale_if_error(Duration::from_hours(1))
    .tags(&["promos"]);

pub(crate) static GET: Operation =
    Operation::get("catalog.product", "/products/{}").as_service().cached(PRODUCTS);
pub(crate) static BATCH: Operation =
    Operation::get("catalog.products", "/products").as_service().cached(PRODUCTS);
pub(crate) static SEARCH: Operation =
    Operation::get("catalog.search", "/products").as_service().cached(PRODUCTS);
pub(crate) static PROMOS: Operation = Operation::get("catalog.promos", "/promos").as_service().cached(OFFERS);

/// The most ids that one batch call may name.
const BATCH_SIZE: usize = 100;

/// The client of the catalog service.
#[derive(Clone)]
pub struct Catalog(Upstream);

impl Catalog {
    /// The client for the service at `settings.url`.
    pub fn new(settings: &UpstreamSettings, outbound: &Outbound) -> Result<Self, BadUpstream> {
        Upstream::new("catalog", settings, outbound).map(Self)
    }

    /// One product.
    pub async fn product(&self, ctx: &RequestContext, id: &ProductId) -> Result<Product, CallError> {
        self.0.call(ctx, &GET).segment(id).fetch().await
    }

    /// The products with these ids, in one call for each hundred; unknown ids are absent, none is no call.
    pub async fn products(
        &self,
        ctx: &RequestContext,
        ids: impl IntoIterator<Item = &ProductId>,
    ) -> Result<Products, CallError> {
        // In order, so that the same products are the same call.
        let ids: BTreeSet<&str> = ids.into_iter().map(AsRef::as_ref).collect();
        let ids = ids.into_iter().map(str::to_owned).collect();
        let Batch { found, lost } = self.0.batch(ids, BATCH_SIZE, |ids| self.some(ctx, ids)).await?;
        let found = found.into_iter().map(|product| (product.id.clone(), product)).collect();
        Ok(Products { found, lost })
    }

    async fn some(&self, ctx: &RequestContext, ids: Vec<String>) -> Result<Vec<Product>, CallError> {
        let page: Page<Product> = self.0.call(ctx, &BATCH).query("ids", ids.join(",")).fetch().await?;
        Ok(page.items)
    }

    /// A page of the products that match.
    pub async fn search(
        &self,
        ctx: &RequestContext,
        search: &ProductSearch,
    ) -> Result<Page<Product>, CallError> {
        self.0
            .call(ctx, &SEARCH)
            .query_opt("q", search.text.as_ref())
            .query_opt("category", search.category.as_ref())
            .query("limit", search.limit)
            .query_opt("cursor", search.cursor.as_ref())
            .fetch()
            .await
    }

    /// The promotions of the day.
    pub async fn promos(&self, ctx: &RequestContext) -> Result<Vec<Promo>, CallError> {
        let page: Page<Promo> = self.0.call(ctx, &PROMOS).fetch().await?;
        Ok(page.items)
    }
}

/// Products that were looked up together.
#[derive(Debug)]
pub struct Products {
    /// Those that there are.
    pub found: HashMap<ProductId, Product>,
    /// Why some could not be looked up, if some could not.
    pub lost: Option<CallError>,
}

/// Words to find products by, or a category: 1 to 200 characters.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Words(String);

impl Words {
    /// The most characters.
    pub const MAX_LEN: usize = 200;
}

impl TryFrom<String> for Words {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let fits = (1..=Self::MAX_LEN).contains(&text.chars().count());
        fits.then_some(Self(text)).ok_or("must have 1 to 200 characters")
    }
}

impl From<Words> for String {
    fn from(words: Words) -> Self {
        words.0
    }
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which products, and how many.
#[derive(Clone, Debug, Default)]
pub struct ProductSearch {
    /// Words to look for.
    pub text: Option<Words>,
    /// Only those of this category.
    pub category: Option<Words>,
    /// At most this many.
    pub limit: u32,
    /// Where to begin.
    pub cursor: Option<Cursor>,
}

/// A product.
#[derive(Clone, Debug, Deserialize, Validate)]
#[serde(rename_all = "camelCase")]
pub struct Product {
    /// The product's id.
    #[garde(skip)]
    pub id: ProductId,
    /// What it is called.
    #[garde(length(min = 1, max = 1000))]
    pub name: String,
    /// What it is.
    #[garde(length(max = 20_000))]
    pub description: String,
    #[garde(range(min = 0))]
    price_cents: i64,
    #[garde(skip)]
    currency: Currency,
    /// A picture.
    #[garde(length(max = 2000))]
    pub image_url: Option<String>,
    /// Its category.
    #[garde(skip)]
    pub category: Words,
    /// How many there are.
    #[garde(skip)]
    pub stock: u32,
    /// From 0 to 5; `None` before the first review.
    #[garde(range(min = 0.0, max = 5.0))]
    pub rating: Option<f64>,
}

impl Product {
    /// What one costs.
    pub fn price(&self) -> Money {
        Money { minor: self.price_cents, currency: self.currency }
    }
}

/// A promotion.
#[derive(Clone, Debug, Deserialize, Validate)]
#[serde(rename_all = "camelCase")]
pub struct Promo {
    /// The promotion's id.
    #[garde(skip)]
    pub id: PromoId,
    /// What it says.
    #[garde(length(min = 1, max = 1000))]
    pub title: String,
    /// What it is for.
    #[garde(skip)]
    pub product_id: ProductId,
    /// How much cheaper.
    #[garde(range(min = 1, max = 100))]
    pub discount_percent: u8,
    /// When it is over.
    #[garde(skip)]
    pub ends_at: Timestamp,
}
