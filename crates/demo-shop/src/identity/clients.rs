//! Who may ask for a token, and for whom.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::HeaderMap;
use http::header::AUTHORIZATION;

use super::oauth_error::{INVALID_CLIENT, Refused};
use super::parameters::Parameters;
use crate::ids::Owner;
use crate::service::Service;
use crate::{data, ids};

/// What a user can allow.
pub(super) const USER_SCOPES: &str = "openid profile orders:read orders:write catalog:read profile:read";
/// The client at which users sign in.
pub(super) const WEB: &str = "web-bff";

const BFFS: [&str; 3] = [WEB, "mobile-bff", "partner-bff"];
const PARTNERS: [&str; 3] = ["acme", "globex", "initech"];
const DEMO_CLI: &str = "demo-cli";

/// A client that proved who it is.
pub(super) struct Client(pub(super) String);

impl Client {
    /// The client that asks: by `client_secret_basic` or `client_secret_post`, not both.
    pub(super) fn authenticate(asked: &Parameters, headers: &HeaderMap) -> Result<Self, Refused> {
        let (id, secret) = match (headers.get(AUTHORIZATION), asked.get("client_secret")) {
            (Some(_), Some(_)) => return Err(Refused::malformed("one way to authenticate at a time")),
            (Some(header), None) => header.to_str().ok().and_then(basic).ok_or(INVALID_CLIENT)?,
            (None, Some(secret)) => {
                (asked.get("client_id").unwrap_or_default().to_owned(), secret.to_owned())
            }
            (None, None) => return Err(INVALID_CLIENT),
        };
        // The secret is public, so a comparison that tells how much was right tells nothing.
        let right = secret == format!("demo-secret-of-{id}");
        let client = Self(id);
        (right && (client.is_bff() || client.is_partner())).then_some(client).ok_or(INVALID_CLIENT)
    }

    /// Whom the client's own token stands for, and what it allows: a BFF itself, a partner its account.
    pub(super) fn own(&self) -> (String, &'static str) {
        if self.is_bff() {
            return (self.0.clone(), "service");
        }
        (format!("acct_{}", self.0), "orders:read orders:write catalog:read usage:read")
    }

    /// Whether it may exchange the tokens that callers bring.
    pub(super) fn is_bff(&self) -> bool {
        BFFS.contains(&self.0.as_str())
    }

    fn is_partner(&self) -> bool {
        PARTNERS.contains(&self.0.as_str())
    }
}

/// Whether users can sign in at this client.
pub(super) fn signs_in(client: &str) -> bool {
    client == WEB
}

/// Whether users get tokens at this client for the asking, without a sign-in.
pub(super) fn is_demo_cli(client: &str) -> bool {
    client == DEMO_CLI
}

/// The user with this id.
pub(super) fn user(id: &str) -> Option<Owner> {
    ids::number("u_", id).and_then(Owner::user).filter(|owner| data::is_user(*owner))
}

/// Everyone whom a token can be for.
pub(super) fn audiences() -> impl Iterator<Item = &'static str> {
    let domain_services = Service::ALL.into_iter().filter(|service| *service != Service::Identity);
    BFFS.into_iter().chain(domain_services.map(Service::name))
}

/// What is left of `granted` when only `wanted` is, in the order in which it was granted.
pub(super) fn narrowed(granted: &str, wanted: &str) -> String {
    let kept: Vec<_> = granted.split(' ').filter(|scope| wanted.split(' ').any(|w| w == *scope)).collect();
    kept.join(" ")
}

/// Whether all of `wanted` is in `granted`.
pub(super) fn covers(granted: &str, wanted: &str) -> bool {
    wanted.split(' ').all(|scope| granted.split(' ').any(|g| g == scope))
}

/// Client and secret, each form-encoded before they were joined (RFC 6749 §2.3.1).
fn basic(header: &str) -> Option<(String, String)> {
    let (scheme, encoded) = header.split_once(' ')?;
    let decoded = BASE64_STANDARD.decode(encoded.trim()).ok()?;
    let joined = String::from_utf8(decoded).ok()?;
    let (client, secret) = joined.split_once(':')?;
    let decode = |text: &str| {
        url::form_urlencoded::parse(format!("v={text}").as_bytes()).next().map(|(_, v)| v.into_owned())
    };
    scheme.eq_ignore_ascii_case("basic").then(|| Some((decode(client)?, decode(secret)?))).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_compared_as_whole_words() {
        assert_eq!(narrowed("openid orders:read", "orders:read orders openid admin"), "openid orders:read");
        assert!(covers("openid orders:read", "orders:read") && !covers("openid orders:read", "orders"));
    }
}
