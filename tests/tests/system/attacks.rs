//! Attacks, each a test that is named after it: through the gateway, and around it where a BFF must hold alone.
//!
//! docs/security.md says for each attack what holds it, and names these tests.

mod browser;
mod cookies;
mod credentials;
mod logout_tokens;
mod requests;
mod sign_in;

use end_to_end::{Answer, Client, Kind, System, cookies as set_cookies};

/// The name of a session's cookie.
pub(crate) const SESSION: &str = "__Host-Http-triptych";

/// Both ways to a BFF.
fn doors(system: &System, kind: Kind) -> [(&'static str, Client); 2] {
    [("through the gateway", system.edge(kind)), ("around it", system.bff(kind).client())]
}

/// The session that an answer gives to whoever asked, `name=value`.
fn session_of(answer: &Answer) -> Option<String> {
    set_cookies(&answer.headers).into_iter().find(|cookie| cookie.starts_with(&format!("{SESSION}=")))
}
