//! How handlers read a request: axum's extractors, refusing with a `Problem` that names what is wrong.

mod context;
mod fault;
mod idempotency_key;
mod json;
mod path;
mod query;
mod text;

pub use context::Context;
pub(crate) use context::context_of;
pub(crate) use idempotency_key::IDEMPOTENCY_KEY;
pub use idempotency_key::IdempotencyKey;
pub use json::Json;
pub(crate) use json::unreadable;
pub use path::Path;
pub use query::Query;
