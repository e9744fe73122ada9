//! What a caller's credential allows.

use problem::{Problem, kind};
use request_context::RequestContext;

/// `Ok` if the caller's credential has `scope`; else `403`, or `401` if nobody was identified.
pub fn require_scope(ctx: &RequestContext, scope: &'static str) -> Result<(), Problem> {
    let caller = ctx.caller().ok_or_else(|| Problem::new(kind::UNAUTHENTICATED))?;
    if caller.scopes.contains(scope) {
        return Ok(());
    }
    Err(Problem::new(kind::FORBIDDEN).detail(format!("The credential lacks the scope {scope}.")))
}
