//! `GET /v1/products`: what the shop has.

use axum::extract::State;
use domain_clients::{Cursor, ProductSearch, Words};
use middleware::{Context, Json, Query};
use screen::{OrProblem, Problem, Problems};
use serde::Deserialize;
use utoipa::IntoParams;

use super::product::ProductView;
use crate::app::AppState;
use crate::envelope::List;
use crate::parameters::Limit;

type ProductList = List<ProductView>;

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
    /// The `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor>,
    /// The most products that the page may have.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200, default = 50)]
    limit: Limit,
}

impl From<ProductsQuery> for ProductSearch {
    fn from(query: ProductsQuery) -> Self {
        Self { text: query.q, category: query.category, limit: query.limit.0, cursor: query.cursor }
    }
}

/// A page of the products that match.
#[utoipa::path(
    get, path = "/v1/products", operation_id = "list_products", tag = "products", params(ProductsQuery),
    responses((status = 200, description = "A page of products", body = ProductList), Problems)
)]
pub(crate) async fn list(
    Context(ctx): Context,
    State(app): State<AppState>,
    Query(query): Query<ProductsQuery>,
) -> Result<Json<ProductList>, Problem> {
    let page = app.catalog.search(&ctx, &query.into()).await.or_problem()?;
    Ok(Json(List::new(page.items, page.next_cursor)))
}
