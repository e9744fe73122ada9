//! `GET /v1/products/{id}`: one product.

use axum::extract::State;
use domain_clients::{Product, ProductId};
use middleware::{Context, Json, Path};
use screen::{OrProblem, Problem, Problems};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::AppState;
use crate::envelope::Resource;
use crate::money::MoneyView;

pub(crate) type ProductResource = Resource<ProductView>;

/// One product.
#[utoipa::path(
    get, path = "/v1/products/{id}", operation_id = "get_product", tag = "products",
    params(("id" = String, Path, description = "The product's id")),
    responses((status = 200, description = "The product", body = ProductResource), Problems)
)]
pub(crate) async fn get(
    Context(ctx): Context,
    State(app): State<AppState>,
    Path(id): Path<ProductId>,
) -> Result<Json<ProductResource>, Problem> {
    let product = app.catalog.product(&ctx, &id).await.or_problem()?;
    Ok(Json(ProductResource { data: product.into() }))
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Product)]
pub(crate) struct ProductView {
    #[schema(example = "p_7")]
    id: String,
    name: String,
    description: String,
    category: String,
    price: MoneyView,
    #[schema(required = true)]
    image_url: Option<String>,
    /// How many there are.
    stock: u32,
    /// From 0 to 5; `null` before the first review.
    #[schema(required = true)]
    rating: Option<f64>,
}

impl From<Product> for ProductView {
    fn from(product: Product) -> Self {
        Self {
            price: product.price().into(),
            id: product.id.into(),
            name: product.name,
            description: product.description,
            category: product.category.into(),
            image_url: product.image_url,
            stock: product.stock,
            rating: product.rating,
        }
    }
}
