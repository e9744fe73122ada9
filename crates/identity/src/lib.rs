//! Who is calling, and the credentials for the services behind us.
//!
//! [`Bearer`] and [`ApiKeys`] turn the credential of a request into a [`Caller`](request_context::Caller);
//! nothing else does. [`Tokens`] gives each call to a domain service the token that speaks for that caller,
//! or for this service. All of them know one [`Provider`], which issues the tokens.

mod accounts;
mod api_keys;
mod audit;
mod bearer;
mod client_credentials;
mod endpoint;
mod exchange;
mod flight;
mod issued;
mod jwt;
mod key_set;
mod keys;
mod pace;
mod provider;
mod rejection;
mod scopes;
mod settings;
mod tokens;
mod verified;

pub use accounts::Accounts;
pub use api_keys::{ApiKeys, X_API_KEY};
pub use bearer::Bearer;
pub use provider::Provider;
pub use scopes::require_scope;
pub use settings::{
    ApiKeySettings, ExchangeMode, ExchangeSettings, IdentitySettings, PartnerSettings, Partners, SecretHash,
    SigningAlgorithm,
};
pub use tokens::Tokens;
