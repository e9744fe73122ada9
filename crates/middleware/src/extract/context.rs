//! The facts of the request.

use axum::extract::FromRequestParts;
use http::Extensions;
use http::request::Parts;
use problem::{Problem, kind};
use request_context::RequestContext;

/// The request's id, trace, deadline, priority and caller, written down by [`crate::stack`].
#[derive(Clone, Debug)]
pub struct Context(pub RequestContext);

#[derive(Debug, thiserror::Error)]
#[error("the route is not inside of middleware::stack")]
struct NoStack;

/// What the stack wrote down, for whoever is inside of it.
pub(crate) fn context_of(extensions: &Extensions) -> Result<RequestContext, Problem> {
    let context = extensions.get().cloned();
    context.ok_or_else(|| Problem::new(kind::INTERNAL).caused_by(NoStack))
}

impl<S: Sync> FromRequestParts<S> for Context {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        context_of(&parts.extensions).map(Self)
    }
}
