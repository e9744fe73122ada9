//! Finding out who is calling.

use std::future::Future;

use http::request::Parts;

use crate::{Caller, RequestContext};

/// Knows callers by what their requests carry: `middleware` asks, `identity` answers.
pub trait Authenticate: Clone + Send + Sync + 'static {
    /// What is answered to whoever is not let in.
    type Refusal;

    /// Who sent a request with this head. Its path is as it came to the service, without the gateway's prefix.
    fn authenticate(
        &self,
        ctx: &RequestContext,
        head: &Parts,
    ) -> impl Future<Output = Result<Caller, Self::Refusal>> + Send;
}
