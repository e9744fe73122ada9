//! What a caller's credential allows.

use problem::{Problem, kind};
use request_context::RequestContext;

/// `403` unless the caller's credential has `scope`. Nobody has any.
pub fn require_scope(ctx: &RequestContext, scope: &'static str) -> Result<(), Problem> {
    if ctx.caller().is_some_and(|caller| caller.scopes.contains(scope)) {
        return Ok(());
    }
    Err(Problem::new(kind::FORBIDDEN).detail(format!("The credential lacks the scope {scope}.")))
}
