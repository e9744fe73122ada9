//! Finding out who is calling.

use std::future::Future;

use http::HeaderMap;

use crate::{Caller, RequestContext};

/// Knows callers by what their requests carry: `middleware` asks, `identity` answers.
pub trait Authenticate: Clone + Send + Sync + 'static {
    /// What is answered to whoever is not let in.
    type Refusal;

    /// Who sent a request with these headers.
    fn authenticate(
        &self,
        ctx: &RequestContext,
        headers: &HeaderMap,
    ) -> impl Future<Output = Result<Caller, Self::Refusal>> + Send;
}
