//! `GET /products`: what the shop has.

use axum::extract::State;
use domain_clients::{Cursor, Page, Product, ProductSearch, Words};
use middleware::{Context, Json, Query};
use screen::{OrProblem, Problem, Problems};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::app::AppState;
use crate::views::ProductView;

const PAGE: u32 = 50;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ProductsQuery {
    /// Words to look for.
    #[param(value_type = Option<String>, min_length = 1, max_length = 200)]
    q: Option<Words>,
    /// Only those of this category.
    #[param(value_type = Option<String>, min_length = 1, max_length = 200)]
    category: Option<Words>,
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
    let ProductsQuery { q, category, cursor } = query;
    let search = ProductSearch { text: q, category, limit: PAGE, cursor };
    let page = app.catalog.search(&ctx, &search).await.or_problem()?;
    Ok(Json(ProductList::compose(page)))
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProductList {
    products: Vec<ProductView>,
    next_cursor: Option<String>,
}

impl ProductList {
    fn compose(page: Page<Product>) -> Self {
        Self {
            products: page.items.into_iter().map(ProductView::from).collect(),
            next_cursor: page.next_cursor.map(Into::into),
        }
    }
}
