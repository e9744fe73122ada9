//! Who is calling, and the credentials for the services behind us.
//!
//! [`Sessions`], [`Bearer`] and [`ApiKeys`] turn the credential of a request into a [`Caller`](request_context::Caller);
//! nothing else does. [`Tokens`] gives each call to a domain service the token that speaks for that caller,
//! or for this service. All of them know one [`Provider`], which issues the tokens.

mod accounts;
mod api_keys;
mod audit;
mod bearer;
mod client_credentials;
mod dpop;
mod endpoint;
mod exchange;
mod failures;
mod flight;
mod hex;
mod issued;
mod issuer;
mod jwt;
mod key_set;
mod keys;
mod log;
mod observe;
mod oidc;
mod pace;
mod partner_callers;
mod provider;
mod rejection;
mod scopes;
mod seal;
mod sessions;
mod settings;
mod tokens;
mod verified;

pub use accounts::Accounts;
pub use api_keys::{
    ApiKey, ApiKeys, IssuedKey, KeyFile, KeyFileError, KeyState, NewKey, SecretHash, X_API_KEY,
};
pub use bearer::Bearer;
pub use partner_callers::PartnerCallers;
pub use provider::Provider;
pub use scopes::require_scope;
pub use seal::SealKey;
pub use sessions::{
    BadSession, LoggedOut, Redirection, SessionState, Sessions, SignInAnswer, SignInError, SignInTrouble,
    Unattended,
};
pub use settings::{
    ApiKeysSettings, DpopMode, ExchangeMode, ExchangeSettings, IdentitySettings, IssuerSettings,
    PartnerSettings, Partners, SessionSettings, SigningAlgorithm,
};
pub use tokens::Tokens;
