//! Who may ask for a token, and for whom.

use crate::ids::Owner;
use crate::{data, ids};

/// Whom a token will stand for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Grant {
    pub(super) client: String,
    pub(super) subject: String,
    pub(super) scope: &'static str,
}

const BFFS: [&str; 3] = ["web-bff", "mobile-bff", "partner-bff"];
const PARTNERS: [&str; 3] = ["acme", "globex", "initech"];
const DEMO_CLI: &str = "demo-cli";
/// What the token of a user allows.
const OF_USERS: &str = "openid profile profile:read orders:read orders:write catalog:read";

/// What a client with this secret gets: a BFF for itself, a partner for its account.
pub(super) fn by_secret(client: &str, secret: &str) -> Option<Grant> {
    // The secret is public, so a comparison that tells how much was right tells nothing.
    if secret != format!("demo-secret-of-{client}") {
        return None;
    }
    let (subject, scope) = if BFFS.contains(&client) {
        (client.to_owned(), "service")
    } else if PARTNERS.contains(&client) {
        (format!("acct_{client}"), "orders:read orders:write catalog:read usage:read")
    } else {
        return None;
    };
    Some(Grant { client: client.to_owned(), subject, scope })
}

/// A token for a user, for the asking: what a sign-in will be for, without the sign-in.
pub(super) fn demo_user(client: &str, user_id: &str) -> Option<Grant> {
    let user = ids::number("u_", user_id).and_then(Owner::user).filter(|owner| data::is_user(*owner))?;
    let granted = || Grant { client: client.to_owned(), subject: user.to_string(), scope: OF_USERS };
    (client == DEMO_CLI).then(granted)
}
