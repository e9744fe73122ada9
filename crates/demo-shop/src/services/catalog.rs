//! `GET /products/{id}`, `GET /products` and `GET /promos`: what anyone with a token may see.

use std::sync::Arc;

use axum::extract::State;
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Answer, found};
use crate::data::{Currency, Product};
use crate::ids::{self, Id};
use crate::input::{PathId, Query};
use crate::paging::{self, Items, Page};
use crate::problem::Problem;
use crate::state::Shop;

const LIST: &str = "products";
const MAX_IDS: usize = 100;

pub(super) fn routes() -> Router<Arc<Shop>> {
    Router::new()
        .route("/products", get(list))
        .route("/products/{id}", get(one))
        .route("/promos", get(promos))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    ids: Option<String>,
    q: Option<String>,
    category: Option<String>,
    limit: Option<usize>,
    cursor: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct View<'a> {
    id: Id,
    name: &'a str,
    description: &'a str,
    price_cents: u32,
    currency: Currency,
    image_url: String,
    category: &'a str,
    stock: u32,
    rating: f64,
}

async fn one(State(shop): State<Arc<Shop>>, PathId(id): PathId) -> Answer {
    found(product(&shop, &id).map(|product| View::of(product, &shop)))
}

async fn list(State(shop): State<Arc<Shop>>, Query(wanted): Query<Wanted>) -> Answer {
    match &wanted.ids {
        Some(ids) => batch(&shop, ids, &wanted),
        None => search(&shop, &wanted),
    }
}

async fn promos(State(shop): State<Arc<Shop>>) -> Answer {
    let now = Timestamp::now();
    let items: Vec<_> = shop.world.promos.iter().filter(|promo| promo.ends_at > now).collect();
    Ok(Json(Items { items }).into_response())
}

/// Those of the ids that there are, in the order asked for.
fn batch(shop: &Shop, ids: &str, wanted: &Wanted) -> Answer {
    if wanted.q.is_some() || wanted.category.is_some() || wanted.limit.is_some() || wanted.cursor.is_some() {
        return Err(Problem::invalid("ids: goes with no other parameter"));
    }
    let ids: Vec<&str> = ids.split(',').collect();
    if ids.len() > MAX_IDS {
        return Err(Problem::invalid(format!("ids: at most {MAX_IDS} at once")));
    }
    let items: Vec<_> =
        ids.iter().filter_map(|id| product(shop, id)).map(|one| View::of(one, shop)).collect();
    Ok(Json(Items { items }).into_response())
}

fn search(shop: &Shop, wanted: &Wanted) -> Answer {
    let size = paging::size(wanted.limit)?;
    let after = paging::read_cursor(LIST, wanted.cursor.as_deref())?.unwrap_or_default();
    let words = wanted.q.as_deref().unwrap_or_default().trim().to_lowercase();
    let rest = shop.world.products.get(after as usize..).unwrap_or_default();
    let mut matching = rest.iter().filter(|product| {
        let in_category = wanted.category.as_ref().is_none_or(|category| product.category == category);
        in_category && product.haystack.contains(&words)
    });
    let chosen: Vec<_> = matching.by_ref().take(size).collect();
    let more = matching.next().is_some();
    let last = chosen.last().filter(|_| more);
    let next_cursor = last.map(|product| paging::cursor(LIST, product.number));
    let items: Vec<_> = chosen.into_iter().map(|product| View::of(product, shop)).collect();
    Ok(Json(Page { items, next_cursor }).into_response())
}

fn product<'a>(shop: &'a Shop, id: &str) -> Option<&'a Product> {
    let number = ids::number("p_", id)?;
    shop.world.products.get(number as usize - 1)
}

impl<'a> View<'a> {
    fn of(product: &'a Product, shop: &Shop) -> Self {
        Self {
            id: Id::product(product.number),
            name: &product.name,
            description: &product.description,
            price_cents: product.price,
            currency: product.currency,
            image_url: format!("https://images.example.com/products/p_{}.jpg", product.number),
            category: product.category,
            stock: shop.stock.left(product.number),
            rating: product.rating,
        }
    }
}
