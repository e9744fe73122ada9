//! `GET /products/{id}`: one product, what is like it, and what is off its price.

use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use domain_clients::{Product, ProductId, ProductSearch, Promo};
use futures::try_join;
use middleware::{Context, Path};
use screen::{Problem, Problems, Screen, Warning};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::AppState;
use crate::views::{ProductView, PromoView};

/// The sections that the page can do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ProductSection)]
pub(crate) enum Section {
    Related,
    Promo,
}

const RELATED: u8 = 4;
const RELATED_MAX_AGE: Duration = Duration::from_hours(1);
const PROMOS_MAX_AGE: Duration = Duration::from_hours(1);

/// One product, what is like it, and what is off its price.
#[utoipa::path(
    get, path = "/products/{id}", operation_id = "product", tag = "products",
    params(("id" = String, Path, description = "The product's id")),
    responses((status = 200, description = "The product", body = ProductPage), Problems)
)]
pub(crate) async fn get(
    Context(ctx): Context,
    State(app): State<AppState>,
    Path(id): Path<ProductId>,
) -> Result<Response, Problem> {
    let screen = Screen::new(&ctx);
    let product = async {
        let product = screen.required("product", async |ctx| app.catalog.product(ctx, &id).await).await?;
        // One more than is shown, since the product itself may be among them.
        let category = Some(product.category.clone());
        let search = ProductSearch { category, limit: u32::from(RELATED) + 1, ..ProductSearch::default() };
        let related = screen
            .stale_ok(Section::Related, RELATED_MAX_AGE, async |ctx| app.catalog.search(ctx, &search).await);
        Ok((product, related.await?.map(|page| page.items)))
    };
    let promos = screen.stale_ok(Section::Promo, PROMOS_MAX_AGE, async |ctx| app.catalog.promos(ctx).await);
    let ((product, related), promos) = try_join!(product, promos)?;
    Ok(screen.respond(|warnings| ProductPage::compose(product, related, promos, warnings)))
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProductPage {
    product: ProductView,
    related: Vec<ProductView>,
    /// `null` when nothing is off, or when that is not known.
    promo: Option<PromoView>,
    warnings: Vec<Warning<Section>>,
}

impl ProductPage {
    fn compose(
        product: Product,
        related: Option<Vec<Product>>,
        promos: Option<Vec<Promo>>,
        warnings: Vec<Warning<Section>>,
    ) -> Self {
        let promo = promos.into_iter().flatten().find(|promo| promo.product_id == product.id);
        let others = related.into_iter().flatten().filter(|other| other.id != product.id);
        Self {
            related: others.take(RELATED.into()).map(ProductView::from).collect(),
            promo: promo.map(PromoView::from),
            product: product.into(),
            warnings,
        }
    }
}
