//! The outbound half: one resilient client per domain service.
//!
//! An [`Upstream`] is a domain service that can be called. An [`Operation`] says once what is true of
//! every such call; [`Upstream::call`] makes one. What happens to it on its way is `stack.rs`, read from
//! top to bottom.

mod answer;
mod call;
mod error;
mod layers;
mod operation;
mod settings;
mod stack;
mod token;
mod transport;

use std::sync::Arc;

use request_context::RequestContext;

pub use call::CallBuilder;
pub use error::{CallError, CallErrorKind};
pub use operation::{Credential, Operation, Reason, Refusal};
pub use settings::UpstreamSettings;
pub use token::{NoTokens, TokenError, TokenSource};
pub use transport::BadUpstream;

/// A domain service that can be called. Cheap to clone; clones share connections.
#[derive(Clone)]
pub struct Upstream(Arc<Inner>);

struct Inner {
    name: &'static str,
    /// The URL in the settings, without a slash at its end.
    base: String,
    settings: UpstreamSettings,
    stack: stack::Stack,
}

impl Upstream {
    /// The client of the service `name`, which is also the audience its tokens are asked for.
    pub fn new(
        name: &'static str,
        settings: &UpstreamSettings,
        tokens: Arc<dyn TokenSource>,
    ) -> Result<Self, BadUpstream> {
        let transport = transport::Transport::new(name, settings)?;
        let stack = stack::build(transport, tokens);
        let base = settings.url.as_str().trim_end_matches('/').to_owned();
        Ok(Self(Arc::new(Inner { name, base, settings: settings.clone(), stack })))
    }

    /// Begins one call on behalf of the request `ctx`.
    pub fn call<'a>(&'a self, ctx: &'a RequestContext, operation: &'static Operation) -> CallBuilder<'a> {
        CallBuilder::new(self, ctx, operation)
    }

    /// The name of the service, as in logs and settings.
    pub fn name(&self) -> &'static str {
        self.0.name
    }
}
