//! A token that was issued to us, and how long it is of use.

use std::time::Duration;

use request_context::AccessToken;
use tokio::time::Instant;

use crate::provider::{ProviderError, TokenAnswer};

/// How long a token is taken to live if its issuer does not say, and the longest that is believed.
const USUAL_LIFE: Duration = Duration::from_mins(1);
const LONGEST_LIFE: Duration = Duration::from_hours(24);
/// A token is replaced when this or a fifth of its life is left, whichever is less.
const REPLACED_BEFORE: Duration = Duration::from_mins(1);
/// What a call needs to arrive: a token with less left is not used.
const LAST_USE: Duration = Duration::from_secs(2);
/// A token that was refused this soon after it was issued would only be followed by another one that is
/// refused.
pub(crate) const TOO_YOUNG: Duration = Duration::from_secs(5);

/// A token, from the moment at which it was asked for.
#[derive(Clone, Debug)]
pub(crate) struct Issued {
    pub(crate) token: AccessToken,
    at: Instant,
    life: Duration,
    /// Whether another one could live longer.
    renewable: bool,
}

impl Issued {
    /// `at` is when the token was asked for: its life may have begun then.
    pub(crate) fn new(answer: TokenAnswer, at: Instant) -> Result<Self, ProviderError> {
        if !answer.token_type.eq_ignore_ascii_case("Bearer") {
            return Err(ProviderError::new("its token is not a bearer token"));
        }
        let token = AccessToken::new(answer.access_token);
        if token.authorization().is_none() {
            return Err(ProviderError::new("its token cannot be sent"));
        }
        let life = answer.expires_in.map_or(USUAL_LIFE, Duration::from_secs).min(LONGEST_LIFE);
        Ok(Self { token, at, life, renewable: true })
    }

    /// The same, which ends with another token of which so much is left, if that is known.
    pub(crate) fn ending_with(self, left: Option<Duration>) -> Self {
        match left {
            // Issuers count in seconds, and take one to answer.
            Some(left) if left <= self.life + LAST_USE => {
                Self { life: self.life.min(left), renewable: false, ..self }
            }
            _ => self,
        }
    }

    pub(crate) fn left(&self) -> Duration {
        self.life.saturating_sub(self.at.elapsed())
    }

    pub(crate) fn is_usable(&self) -> bool {
        self.left() > if self.renewable { LAST_USE } else { Duration::ZERO }
    }

    /// Whether it should be replaced, although it is usable.
    pub(crate) fn is_old(&self) -> bool {
        self.renewable && self.left() <= REPLACED_BEFORE.min(self.life / 5)
    }

    pub(crate) fn is_too_young(&self) -> bool {
        self.at.elapsed() < TOO_YOUNG
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tokio::time::advance;

    use super::*;

    fn issued(expires_in: u64) -> Issued {
        let answer = json!({"access_token": "t", "token_type": "bearer", "expires_in": expires_in});
        Issued::new(serde_json::from_value(answer).unwrap(), Instant::now()).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_ends_with_the_one_it_was_made_of() {
        for (own, other, usable_for) in [(300, 100, 100), (300, 301, 300), (100, 101, 100)] {
            let issued = issued(own).ending_with(Some(Duration::from_secs(other)));
            advance(Duration::from_secs(usable_for).checked_sub(Duration::from_millis(1)).unwrap()).await;
            assert!(issued.is_usable() && !issued.is_old(), "another would end no later");
            advance(Duration::from_millis(1)).await;
            assert!(!issued.is_usable(), "{own} of {other}");
        }
        let issued = issued(100).ending_with(Some(Duration::from_mins(10)));
        advance(Duration::from_secs(80)).await;
        assert!(issued.is_usable() && issued.is_old());
        advance(Duration::from_secs(18)).await;
        assert!(!issued.is_usable());
    }
}
