//! The URL table. Each handler says its own URL; the test at the end keeps the list.

use axum::Router;
use middleware::{authentication, priority};
use request_context::Priority;
use screen::ProblemBody;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouterExt};
use utoipa_axum::routes;

use crate::app::AppState;
use crate::screens::{dashboard, events, notification, order, orders, product, products};

/// Every route, for callers with a bearer token.
fn table() -> OpenApiRouter<AppState> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(dashboard::get))
        .routes(routes!(orders::list))
        .routes(routes!(orders::place).layer(priority(Priority::Checkout)))
        .routes(routes!(order::get))
        .routes(routes!(order::cancel).layer(priority(Priority::Checkout)))
        .routes(routes!(products::list))
        .routes(routes!(product::get))
        .routes(routes!(notification::read))
        // Who loses one opens it again: pages come first.
        .routes(routes!(events::stream).layer(priority(Priority::Batch)))
}

/// The routes behind authentication, ready to serve.
pub(crate) fn router(state: AppState) -> Router {
    let (router, _) = table().split_for_parts();
    let callers = (authentication(state.identity.clone()), state.writes.clone());
    router.route_layer(callers).with_state(state)
}

/// The OpenAPI 3.1 document, as JSON.
pub fn openapi() -> String {
    table().into_openapi().to_pretty_json().expect("a document of strings and numbers serializes")
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Triptych for the web app",
        description = "One request a page, everything expanded. A page that lost a section says so in `warnings`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    servers((url = "/web", description = "Behind the gateway")),
    components(schemas(ProblemBody)),
    security(("bearer" = [])),
    modifiers(&BearerTokens)
)]
struct Document;

struct BearerTokens;

impl Modify for BearerTokens {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        document.components.get_or_insert_default().add_security_scheme("bearer", bearer);
    }
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
        let paths = table().into_openapi().paths.paths;
        let methods = |path: &utoipa::openapi::PathItem| match (&path.get, &path.post) {
            (Some(_), Some(_)) => "GET, POST",
            (Some(_), None) => "GET",
            _ => "POST",
        };
        let urls: Vec<_> = paths.iter().map(|(url, item)| format!("{} {url}", methods(item))).collect();
        insta::assert_snapshot!(urls.join("\n"), @"
        GET /dashboard
        GET /events
        POST /notifications/{id}/read
        GET, POST /orders
        GET /orders/{id}
        POST /orders/{id}/cancel
        GET /products
        GET /products/{id}
        ");
    }
}
