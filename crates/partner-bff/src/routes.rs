//! The URL table. Each handler says its own URL; the test at the end keeps the list.

use axum::Router;
use axum::routing::get;
use middleware::{authentication, priority};
use request_context::Priority;
use utoipa::OpenApi;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouterExt};
use utoipa_axum::routes;

use crate::app::AppState;
use crate::document::{self, Document};
use crate::scopes::{CATALOG_READ, ORDERS_READ, ORDERS_WRITE, USAGE_READ, needs};
use crate::screens::{docs, openapi, order, orders, product, products, usage};
use crate::settings::Settings;

/// The routes for partners, and the scope that their credential must have.
fn keyed() -> OpenApiRouter<AppState> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(needs(CATALOG_READ, routes!(products::list)))
        .routes(needs(CATALOG_READ, routes!(product::get)))
        .routes(needs(ORDERS_READ, routes!(orders::list)))
        .routes(needs(ORDERS_READ, routes!(order::get)))
        .routes(needs(ORDERS_WRITE, routes!(orders::place)).layer(priority(Priority::Checkout)))
        .routes(needs(USAGE_READ, routes!(usage::get)))
}

/// The routes for everybody.
fn open() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(openapi::get))
        .routes(routes!(docs::page))
        .route("/docs/{file}", get(docs::file))
}

/// All routes, ready to serve.
pub(crate) fn router(state: AppState) -> Router {
    let (keyed, _) = keyed().split_for_parts();
    let (open, _) = open().split_for_parts();
    // A partner's machine can come again later, where a person waits.
    let caller = authentication(state.identity.clone());
    let callers = (priority(Priority::Batch), caller, state.quotas.clone(), state.writes.clone());
    keyed.route_layer(callers).merge(open).with_state(state)
}

/// The OpenAPI 3.1 document as the service offers it, as JSON.
pub(crate) fn document(settings: &Settings) -> String {
    let document = document::with_settings(whole(), settings);
    document.to_json().expect("a document of strings and numbers serializes")
}

/// The OpenAPI 3.1 document of a service that knows no settings, as JSON.
pub fn openapi() -> String {
    whole().to_pretty_json().expect("a document of strings and numbers serializes")
}

fn whole() -> utoipa::openapi::OpenApi {
    keyed().merge(open()).into_openapi()
}

#[cfg(test)]
mod tests {
    use utoipa::openapi::RefOr;
    use utoipa::openapi::path::Parameter;

    use super::*;

    #[test]
    fn every_write_takes_a_key() {
        for (url, item) in whole().paths.paths {
            let Some(post) = item.post else { continue };
            let mut parameters = post.parameters.iter().flatten();
            let is_key = |it: &RefOr<Parameter>| matches!(it, RefOr::T(it) if it.name == "Idempotency-Key");
            assert!(parameters.any(is_key), "{url} does not say so");
        }
    }

    #[test]
    fn the_url_table() {
        let urls: Vec<_> = document::operations(&mut whole().paths)
            .map(|(method, url, operation)| {
                let security = operation.security.as_ref().expect("every route says what it needs");
                let security = serde_json::to_string(security).unwrap();
                format!("{method} {url} {security}")
            })
            .collect();
        insta::assert_snapshot!(urls.join("\n"), @r#"
        GET /docs [{}]
        GET /v1/openapi.json [{}]
        GET /v1/orders [{"api_key":["orders:read"]},{"access_token":["orders:read"]}]
        POST /v1/orders [{"api_key":["orders:write"]},{"access_token":["orders:write"]}]
        GET /v1/orders/{id} [{"api_key":["orders:read"]},{"access_token":["orders:read"]}]
        GET /v1/products [{"api_key":["catalog:read"]},{"access_token":["catalog:read"]}]
        GET /v1/products/{id} [{"api_key":["catalog:read"]},{"access_token":["catalog:read"]}]
        GET /v1/usage [{"api_key":["usage:read"]},{"access_token":["usage:read"]}]
        "#);
    }
}
