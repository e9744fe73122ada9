//! The inbound half: what every request passes before its handler.
//!
//! [`stack`] puts the layers that every route needs around a whole router; [`authentication`], [`Quotas`], [`Writes`]
//! and [`priority`] go around the routes that want them; the extractors of [`extract`] are what handlers
//! read a request with. Each of them refuses with a `Problem`.

mod access_log;
mod around;
mod arrival;
mod authentication;
mod compression;
mod context;
mod cors;
mod deadline;
mod etag;
pub mod extract;
mod foreign_headers;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod observation;
mod page;
mod panics;
mod priority;
mod problems;
mod quota;
mod reads;
mod refusal;
mod settings;
mod stack;
mod writes;

pub use authentication::{Authentication, AuthenticationLayer, authentication};
pub use extract::{Context, IdempotencyKey, Json, Path, Query};
pub use observation::Ending;
pub use page::Page;
pub use priority::priority;
pub use quota::{Allowance, Plan, PlanSettings, Quotas, QuotasService};
pub use request_context::{Origin, PublicUrl};
pub use settings::RequestSettings;
pub use stack::stack;
pub use store::{SharedStore, StoreSettings};
pub use writes::{Writes, WritesService};
