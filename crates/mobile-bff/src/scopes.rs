//! What a token must allow: checked before the handler runs, and said in the OpenAPI document.

use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use identity::Bearer;
use middleware::Context;
use screen::Problem;
use utoipa::openapi::security::SecurityRequirement;
use utoipa_axum::router::UtoipaMethodRouter;

use crate::app::AppState;
use crate::document::{BEARER, operations};

pub(crate) const CATALOG_READ: &str = "catalog:read";
pub(crate) const ORDERS_READ: &str = "orders:read";
pub(crate) const ORDERS_WRITE: &str = "orders:write";
pub(crate) const PROFILE_READ: &str = "profile:read";

/// The same routes, for tokens with these scopes alone: a screen needs that of everything on it.
///
/// A token without one of them is refused before its request is read any further.
pub(crate) fn needs<const N: usize>(
    scopes: [&'static str; N],
    (schemas, mut paths, router): UtoipaMethodRouter<AppState>,
) -> UtoipaMethodRouter<AppState> {
    for operation in operations(&mut paths) {
        operation.security = Some(vec![SecurityRequirement::new(BEARER, scopes)]);
        let text = operation.description.take().map_or_else(String::new, |text| text + "\n\n");
        let scopes = scopes.map(|scope| format!("`{scope}`")).join(" and ");
        operation.description = Some(format!("{text}Needs the scope {scopes}."));
    }
    let check = from_fn(move |Context(ctx): Context, request: Request, next: Next| async move {
        for scope in scopes {
            Bearer::require_scope(&ctx, request.headers(), scope)?;
        }
        Ok::<_, Problem>(next.run(request).await)
    });
    (schemas, paths, router.route_layer(check))
}
