//! The token that is exchanged.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use request_context::AccessToken;
use serde::Deserialize;

/// A token of ours or of a caller, verified before it comes here.
#[derive(Clone)]
pub(crate) struct SubjectToken {
    /// Who vouches for its subject.
    pub(crate) realm: Arc<str>,
    pub(crate) token: AccessToken,
}

impl SubjectToken {
    /// How long it still lives, if it is a JWT and says so. Who verified it has checked that; here it only
    /// bounds what comes of it.
    pub(super) fn left(&self, now: Timestamp) -> Option<Duration> {
        #[derive(Deserialize)]
        struct Claims {
            exp: f64,
        }
        let payload = self.token.expose().split('.').nth(1)?;
        let claims = URL_SAFE_NO_PAD.decode(payload).ok()?;
        let Claims { exp } = serde_json::from_slice(&claims).ok()?;
        let left = exp - now.as_duration().as_secs_f64();
        Duration::try_from_secs_f64(left.max(0.0)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jwt_says_how_long_it_lives_and_nothing_else_does() {
        let left = |token: &str| {
            let subject = SubjectToken { realm: "r".into(), token: AccessToken::new(token) };
            subject.left(Timestamp::from_second(1000).unwrap())
        };
        let jwt = |claims: &str| format!("h.{}.s", URL_SAFE_NO_PAD.encode(claims));
        for (token, expected) in [
            (jwt(r#"{"exp":1060}"#), Some(60)),
            (jwt(r#"{"exp":1060.0,"sub":"u_42"}"#), Some(60)),
            (jwt(r#"{"exp":999}"#), Some(0)),
            (jwt(r#"{"exp":-1e400}"#), None),
            (jwt(r#"{"exp":1e300}"#), None),
            (jwt(r#"{"exp":"soon"}"#), None),
            (jwt("{}"), None),
            ("opaque".to_owned(), None),
            ("a.b.c".to_owned(), None),
        ] {
            assert_eq!(left(&token), expected.map(Duration::from_secs), "{token}");
        }
    }
}
