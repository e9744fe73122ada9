//! The URL table. Each handler says its own URL; the test at the end keeps the list.

use axum::Router;
use axum::middleware::from_fn_with_state;
use middleware::{authentication, priority};
use request_context::Priority;
use utoipa::OpenApi;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouterExt};
use utoipa_axum::routes;

use crate::app::AppState;
use crate::app_version;
use crate::document::{Document, with_app_version};
use crate::scopes::{CATALOG_READ, ORDERS_READ, ORDERS_WRITE, PROFILE_READ, needs};
use crate::screens::{home, order, orders, product, products};
use crate::settings::AppSettings;

/// Every route, and the scopes that a caller's token must have.
fn table() -> OpenApiRouter<AppState> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(needs([PROFILE_READ, ORDERS_READ], routes!(home::get)))
        .routes(needs([ORDERS_READ], routes!(orders::list)))
        .routes(needs([ORDERS_WRITE], routes!(orders::place)).layer(priority(Priority::Checkout)))
        .routes(needs([ORDERS_READ], routes!(order::get)))
        .routes(needs([CATALOG_READ], routes!(products::list)))
        .routes(needs([CATALOG_READ], routes!(product::get)))
}

/// The routes behind authentication, ready to serve.
pub(crate) fn router(state: AppState, settings: &AppSettings) -> Router {
    let (router, _) = table().split_for_parts();
    // An app that is too old may not even know how to sign in.
    let new_enough = from_fn_with_state(settings.clone(), app_version::check);
    let callers = (new_enough, authentication(state.identity.clone()), state.writes.clone());
    router.route_layer(callers).with_state(state)
}

fn document() -> utoipa::openapi::OpenApi {
    with_app_version(table().into_openapi())
}

/// The OpenAPI 3.1 document, as JSON.
pub fn openapi() -> String {
    document().to_pretty_json().expect("a document of strings and numbers serializes")
}

#[cfg(test)]
mod tests {
    use utoipa::openapi::RefOr;
    use utoipa::openapi::path::Parameter;

    use super::*;

    #[test]
    fn every_write_takes_a_key() {
        for (url, item) in table().into_openapi().paths.paths {
            let Some(post) = item.post else { continue };
            let mut parameters = post.parameters.iter().flatten();
            let is_key = |it: &RefOr<Parameter>| matches!(it, RefOr::T(it) if it.name == "Idempotency-Key");
            assert!(parameters.any(is_key), "{url} does not say so");
        }
    }

    #[test]
    fn the_url_table() {
        let mut lines = vec![];
        for (url, item) in document().paths.paths {
            for (method, operation) in [("GET", item.get), ("POST", item.post)] {
                let Some(operation) = operation else { continue };
                let parameters = serde_json::to_string(&operation.parameters).unwrap();
                assert!(parameters.contains(r#""name":"X-App-Version""#), "{method} {url} does not say so");
                let security = serde_json::to_string(&operation.security.unwrap()).unwrap();
                lines.push(format!("{method} {url} {security}"));
            }
        }
        insta::assert_snapshot!(lines.join("\n"), @r#"
        GET /home [{"bearer":["profile:read","orders:read"]}]
        GET /orders [{"bearer":["orders:read"]}]
        POST /orders [{"bearer":["orders:write"]}]
        GET /orders/{id} [{"bearer":["orders:read"]}]
        GET /products [{"bearer":["catalog:read"]}]
        GET /products/{id} [{"bearer":["catalog:read"]}]
        "#);
    }
}
