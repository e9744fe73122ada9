//! What a credential must allow: checked before the handler runs, and said in the OpenAPI document.

use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use identity::require_scope;
use middleware::Context;
use screen::Problem;
use utoipa::openapi::security::SecurityRequirement;
use utoipa_axum::router::UtoipaMethodRouter;

use crate::app::AppState;
use crate::document::{ACCESS_TOKEN, API_KEY, operations};

pub(crate) const CATALOG_READ: &str = "catalog:read";
pub(crate) const ORDERS_READ: &str = "orders:read";
pub(crate) const ORDERS_WRITE: &str = "orders:write";
pub(crate) const USAGE_READ: &str = "usage:read";

/// All that a key may allow.
pub(crate) const ALL: &[&str] = &[CATALOG_READ, ORDERS_READ, ORDERS_WRITE, USAGE_READ];

/// The same routes, for credentials with this scope alone.
///
/// One without it is refused before its request is read any further.
pub(crate) fn needs(
    scope: &'static str,
    (schemas, mut paths, router): UtoipaMethodRouter<AppState>,
) -> UtoipaMethodRouter<AppState> {
    for (_, _, operation) in operations(&mut paths) {
        let one_of = [API_KEY, ACCESS_TOKEN].map(|scheme| SecurityRequirement::new(scheme, [scope]));
        operation.security = Some(one_of.to_vec());
        let text = operation.description.take().map_or_else(String::new, |text| text + "\n\n");
        operation.description = Some(format!("{text}Needs the scope `{scope}`."));
    }
    let check = from_fn(move |Context(ctx): Context, request: Request, next: Next| async move {
        require_scope(&ctx, scope)?;
        Ok::<_, Problem>(next.run(request).await)
    });
    (schemas, paths, router.route_layer(check))
}
