//! Who is calling.

use std::fmt;
use std::sync::{Arc, OnceLock};

use http::HeaderValue;

/// A caller whose credential was verified. Nothing else makes one: no header ever does.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Who vouches for the subject: two issuers may use the same subject for two people.
    pub realm: Arc<str>,
    /// The account that calls: a user, or a partner's account.
    pub subject: Subject,
    /// What the credential allows.
    pub scopes: Scopes,
    /// The token that speaks for the caller towards the domain services.
    pub token: AccessToken,
}

/// The `sub` of a verified credential: at most 128 visible ASCII characters.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Subject(HeaderValue);

impl Subject {
    /// The longest subject that is taken.
    pub const MAX_LEN: usize = 128;

    /// `None` unless `value` is 1 to 128 visible ASCII characters, which travel safely in a header.
    pub fn parse(value: &str) -> Option<Self> {
        let visible =
            (1..=Self::MAX_LEN).contains(&value.len()) && value.bytes().all(|b| b.is_ascii_graphic());
        visible.then(|| HeaderValue::from_str(value).ok().map(Self)).flatten()
    }

    /// The subject as text.
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    /// The subject as the value of `X-User-Id`.
    pub fn header_value(&self) -> HeaderValue {
        self.0.clone()
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The scopes of a credential (RFC 6749, section 3.3), in the order they were granted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Scopes(Arc<str>);

impl Scopes {
    /// Scopes from their space-separated form.
    pub fn parse(value: &str) -> Self {
        Self(value.into())
    }

    /// The scopes in their space-separated form.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `scope` was granted.
    pub fn contains(&self, scope: &str) -> bool {
        self.0.split_ascii_whitespace().any(|granted| granted == scope)
    }
}

/// An OAuth access token. Its `Debug` form never shows it. Cheap to clone.
#[derive(Clone)]
pub struct AccessToken(Arc<Token>);

struct Token {
    text: Box<str>,
    /// Made once, since a screen sends it with every call.
    bearer: Option<HeaderValue>,
    sha256: OnceLock<[u8; 32]>,
}

impl AccessToken {
    /// Wraps a token.
    pub fn new(token: impl Into<Box<str>>) -> Self {
        let text = token.into();
        let mut bearer = HeaderValue::try_from(["Bearer ", &text].concat()).ok();
        if let Some(bearer) = &mut bearer {
            bearer.set_sensitive(true);
        }
        Self(Arc::new(Token { text, bearer, sha256: OnceLock::new() }))
    }

    /// The token itself, for whoever must compare it.
    pub fn expose(&self) -> &str {
        &self.0.text
    }

    /// Its SHA-256, by which caches know it: `hash` is asked once for all clones.
    pub fn sha256(&self, hash: impl FnOnce(&str) -> [u8; 32]) -> [u8; 32] {
        *self.0.sha256.get_or_init(|| hash(&self.0.text))
    }

    /// `Bearer …`, marked sensitive; `None` when the token has characters that no header may carry.
    pub fn authorization(&self) -> Option<HeaderValue> {
        self.0.bearer.clone()
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_visible_ascii_of_bounded_length() {
        for good in ["u_42", "auth0|65f0", &"x".repeat(128)] {
            assert_eq!(Subject::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "u 42", "u\r\nX-Admin: 1", "ü", &"x".repeat(129)] {
            assert!(Subject::parse(bad).is_none(), "{bad:?} was taken");
        }
    }

    #[test]
    fn scopes_match_whole_words() {
        let scopes = Scopes::parse("orders:read orders:write");
        assert!(scopes.contains("orders:read"));
        assert!(!scopes.contains("orders"));
        assert_eq!(scopes.as_str(), "orders:read orders:write");
    }

    #[test]
    fn a_token_is_not_shown() {
        let token = AccessToken::new("s3cret");
        assert_eq!(format!("{token:?}"), "AccessToken(…)");
        assert!(!format!("{:?}", token.authorization()).contains("s3cret"));
        assert!(AccessToken::new("a\nb").authorization().is_none());
    }

    #[test]
    fn a_token_is_hashed_once_for_all_its_clones() {
        let token = AccessToken::new("ab");
        let clone = token.clone();
        assert_eq!(token.sha256(|text| [text.as_bytes()[1]; 32]), [b'b'; 32]);
        assert_eq!(clone.sha256(|_| panic!("it was hashed again")), [b'b'; 32]);
    }
}
