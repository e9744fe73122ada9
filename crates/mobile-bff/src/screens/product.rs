//! `GET /products/{id}`: one product.

use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use domain_clients::{Product, ProductId, Promo};
use futures::try_join;
use middleware::{Context, Path};
use screen::{Problem, Problems, Screen, Warning};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::app::AppState;

/// The sections that the screen can do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ProductSection)]
pub(crate) enum Section {
    DiscountPercent,
}

const PROMOS_MAX_AGE: Duration = Duration::from_hours(1);

/// One product, and what is off its price today.
#[utoipa::path(
    get, path = "/products/{id}", operation_id = "product", tag = "products",
    params(("id" = String, Path, description = "The product's id")),
    responses((status = 200, description = "The product", body = ProductView), Problems)
)]
pub(crate) async fn get(
    Context(ctx): Context,
    State(app): State<AppState>,
    Path(id): Path<ProductId>,
) -> Result<Response, Problem> {
    let screen = Screen::new(&ctx);
    let (product, promos) = try_join!(
        screen.required("product", async |ctx| app.catalog.product(ctx, &id).await),
        screen.stale_ok(Section::DiscountPercent, PROMOS_MAX_AGE, async |ctx| app.catalog.promos(ctx).await),
    )?;
    Ok(screen.respond(|warnings| ProductView::compose(product, &promos.unwrap_or_default(), warnings)))
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Product)]
pub(crate) struct ProductView {
    id: String,
    name: String,
    description: String,
    /// In the currency's major unit, before any discount.
    #[schema(value_type = f64)]
    price: Box<RawValue>,
    currency: &'static str,
    image_url: Option<String>,
    in_stock: bool,
    rating: Option<f64>,
    /// `null` when nothing is off, or when that is not known.
    discount_percent: Option<u8>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    warnings: Vec<Warning<Section>>,
}

impl ProductView {
    fn compose(product: Product, promos: &[Promo], warnings: Vec<Warning<Section>>) -> Self {
        let price = product.price();
        let promo = promos.iter().find(|promo| promo.product_id == product.id);
        Self {
            id: product.id.into(),
            name: product.name,
            description: product.description,
            price: price.number(),
            currency: price.currency.code(),
            image_url: product.image_url,
            in_stock: product.stock > 0,
            rating: product.rating,
            discount_percent: promo.map(|promo| promo.discount_percent),
            warnings,
        }
    }
}
