//! The URL table. Each handler says its own URL; the test at the end keeps the list.

use axum::Router;
use axum::middleware::map_response;
use middleware::{authentication, priority};
use request_context::Priority;
use screen::ProblemBody;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouterExt};
use utoipa_axum::routes;

use crate::app::AppState;
use crate::auth::{self, backchannel_logout, callback, login, logout, session};
use crate::screens::{dashboard, events, notification, order, orders, product, products};

/// Every route.
fn table() -> OpenApiRouter<AppState> {
    OpenApiRouter::with_openapi(Document::openapi()).merge(screens()).merge(streams()).merge(auth())
}

/// For people who have signed in.
fn screens() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(dashboard::get))
        .routes(routes!(orders::list))
        .routes(routes!(orders::place).layer(priority(Priority::Checkout)))
        .routes(routes!(order::get))
        .routes(routes!(order::cancel).layer(priority(Priority::Checkout)))
        .routes(routes!(products::list))
        .routes(routes!(product::get))
        .routes(routes!(notification::read))
}

/// For people who have signed in, and need not be there.
fn streams() -> OpenApiRouter<AppState> {
    // Who loses one opens it again: pages come first.
    OpenApiRouter::new().routes(routes!(events::stream).layer(priority(Priority::Batch)))
}

/// For everybody: how people sign in and out.
fn auth() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(login::get))
        .routes(routes!(callback::get))
        .routes(routes!(session::get))
        .routes(routes!(logout::post))
        .routes(routes!(backchannel_logout::post))
}

/// The routes with their callers, ready to serve.
pub(crate) fn router(state: AppState) -> Router {
    let (screens, _) = screens().split_for_parts();
    let (streams, _) = streams().split_for_parts();
    let (auth, _) = auth().split_for_parts();
    // A browser opens a stream again and again by itself: that keeps no session alive.
    let streams = streams.route_layer(authentication(state.sessions.unattended()));
    let callers = (authentication(state.sessions.clone()), state.writes.clone());
    let auth = auth.route_layer(map_response(auth::kept_by_nobody));
    screens.route_layer(callers).merge(streams).merge(auth).with_state(state)
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
    security(("session" = [])),
    modifiers(&SessionCookie)
)]
struct Document;

struct SessionCookie;

impl Modify for SessionCookie {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let described = ApiKeyValue::with_description;
        let session = ApiKey::Cookie(described(
            "__Host-Http-triptych",
            "The session of somebody who signed in at `/auth/login`",
        ));
        let csrf = ApiKey::Header(described(
            "X-CSRF",
            "`1` with every write: a page of another site cannot send it",
        ));
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("session", SecurityScheme::ApiKey(session));
        components.add_security_scheme("csrf", SecurityScheme::ApiKey(csrf));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use utoipa::openapi::RefOr;
    use utoipa::openapi::path::Parameter;

    use super::*;

    #[test]
    fn every_write_takes_a_key() {
        for (url, item) in screens().into_openapi().paths.paths {
            let Some(post) = item.post else { continue };
            let mut parameters = post.parameters.iter().flatten();
            let is_key = |it: &RefOr<Parameter>| matches!(it, RefOr::T(it) if it.name == "Idempotency-Key");
            assert!(parameters.any(is_key), "{url} does not say so");
        }
    }

    #[test]
    fn every_write_with_a_session_needs_the_header() {
        let with_session = json!([{"session": [], "csrf": []}]);
        for (url, item) in table().into_openapi().paths.paths {
            let Some(post) = item.post else { continue };
            let expected = if url == "/auth/backchannel-logout" { json!([{}]) } else { with_session.clone() };
            assert_eq!(serde_json::to_value(&post.security).unwrap(), expected, "{url}");
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
        POST /auth/backchannel-logout
        GET /auth/callback
        GET /auth/login
        POST /auth/logout
        GET /auth/session
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
