//! The tokens of one sign-in.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use request_context::{AccessToken, Scopes};
use secrecy::SecretString;

use crate::provider::{ProviderError, TokenAnswer};

/// How long a token is taken to live if its issuer does not say, and the longest that is believed.
const USUAL_LIFE: Duration = Duration::from_mins(1);
const LONGEST_LIFE: Duration = Duration::from_hours(24);

/// What the provider gave for a code or a refresh token.
#[derive(Clone, Debug)]
pub(crate) struct TokenSet {
    pub(crate) access_token: SecretString,
    /// From when the access token is refused.
    pub(crate) access_ends: Timestamp,
    /// Absent if there is none, or at a refresh if the one that was used is still good.
    pub(crate) refresh_token: Option<SecretString>,
    /// Absent at a refresh if they are those that were granted before (RFC 6749, section 6).
    pub(crate) scopes: Option<Scopes>,
}

impl TokenSet {
    /// `asked` is when: the token's life may have begun then.
    pub(super) fn new(answer: TokenAnswer, asked: Timestamp) -> Result<Self, ProviderError> {
        if !answer.token_type.eq_ignore_ascii_case("Bearer") {
            return Err(ProviderError::new("its token is not a bearer token"));
        }
        if AccessToken::new(answer.access_token.as_str()).authorization().is_none() {
            return Err(ProviderError::new("its token cannot be sent"));
        }
        let life = answer.expires_in.map_or(USUAL_LIFE, Duration::from_secs).min(LONGEST_LIFE);
        let life = SignedDuration::from_secs(life.as_secs().cast_signed());
        let access_ends =
            asked.checked_add(life).map_err(|_| ProviderError::new("its token ends after all time"))?;
        Ok(Self {
            access_token: answer.access_token.into(),
            access_ends,
            refresh_token: answer.refresh_token.map(SecretString::from),
            scopes: answer.scope.as_deref().map(Scopes::parse),
        })
    }
}
