//! `GET /products`: what the shop has.

use axum::extract::State;
use domain_clients::{Cursor, Page, Product, ProductSearch, Words};
use middleware::{Context, Json, Query};
use screen::{OrProblem, Problem, Problems};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use crate::app::AppState;

const PAGE: u32 = 20;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ProductsQuery {
    /// Words to look for.
    #[param(value_type = Option<String>, min_length = 1, max_length = 200)]
    q: Option<Words>,
    /// The `nextCursor` of the page before.
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor>,
}

/// A page of the products that match.
#[utoipa::path(
    get, path = "/products", operation_id = "products", tag = "products", params(ProductsQuery),
    responses((status = 200, description = "A page of products", body = ProductList), Problems)
)]
pub(crate) async fn list(
    Context(ctx): Context,
    State(app): State<AppState>,
    Query(query): Query<ProductsQuery>,
) -> Result<Json<ProductList>, Problem> {
    let search = ProductSearch { text: query.q, cursor: query.cursor, limit: PAGE, category: None };
    let page = app.catalog.search(&ctx, &search).await.or_problem()?;
    Ok(Json(ProductList::compose(page)))
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProductList {
    products: Vec<ProductRow>,
    next_cursor: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ProductRow {
    id: String,
    name: String,
    /// In the currency's major unit.
    #[schema(value_type = f64)]
    price: Box<RawValue>,
    currency: &'static str,
    image_url: Option<String>,
    rating: Option<f64>,
}

impl ProductList {
    fn compose(page: Page<Product>) -> Self {
        let row = |product: Product| {
            let price = product.price();
            ProductRow {
                id: product.id.into(),
                name: product.name,
                price: price.number(),
                currency: price.currency.code(),
                image_url: product.image_url,
                rating: product.rating,
            }
        };
        Self {
            products: page.items.into_iter().map(row).collect(),
            next_cursor: page.next_cursor.map(Into::into),
        }
    }
}
