//! What a browser shows instead of the admin token: a time until which it is good, and a signature that only who has
//! the token can make. Nothing is kept of it here, so that it outlasts a restart; a new token ends all of them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::hmac;

use super::hex;
use crate::settings::Secret;

/// A working day. Then the token is asked for again.
pub(super) const LASTS: Duration = Duration::from_hours(12);

/// Makes and checks sessions of one service.
pub(super) struct Sessions {
    key: hmac::Key,
    service: &'static str,
}

impl Sessions {
    pub(super) fn new(service: &'static str, token: &Secret) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, token.expose().as_bytes()), service }
    }

    /// A session that is good until `LASTS` after `now`.
    pub(super) fn begin(&self, now: SystemTime) -> String {
        let until = seconds(now) + LASTS.as_secs();
        let signature = hmac::sign(&self.key, self.signed(until).as_bytes());
        format!("{until}.{}", hex(signature.as_ref()))
    }

    /// Whether this is a session of ours that has not ended. Takes as long for any signature that is wrong.
    pub(super) fn is_good(&self, session: &str, now: SystemTime) -> bool {
        let Some((until, signature)) = session.split_once('.') else { return false };
        let Some((until, signature)) = until.parse().ok().zip(from_hex(signature)) else { return false };
        let signed = self.signed(until);
        hmac::verify(&self.key, signed.as_bytes(), &signature).is_ok() && seconds(now) < until
    }

    /// With the service's name: whoever gets a session of one service has none of another with the same token.
    fn signed(&self, until: u64) -> String {
        format!("inspector of {} until {until}", self.service)
    }
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.bytes().map(|byte| char::from(byte).to_digit(16));
    let digits: Vec<u8> = digits.map(|digit| u8::try_from(digit?).ok()).collect::<Option<_>>()?;
    let (pairs, []) = digits.as_chunks::<2>() else { return None };
    Some(pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_good_for_one_service_one_token_and_its_time() {
        let (token, now) = (Secret::new("0123456789abcdef"), SystemTime::now());
        let sessions = Sessions::new("web-bff", &token);
        let session = sessions.begin(now);
        assert!(sessions.is_good(&session, now) && !session.contains("0123456789abcdef"));
        assert!(sessions.is_good(&session, now + LASTS - Duration::from_secs(1)));
        assert!(!sessions.is_good(&session, now + LASTS + Duration::from_secs(1)));
        assert!(!Sessions::new("mobile-bff", &token).is_good(&session, now));
        assert!(!Sessions::new("web-bff", &Secret::new("0123456789abcdeg")).is_good(&session, now));
    }

    #[test]
    fn what_was_changed_is_no_session() {
        let (token, now) = (Secret::new("0123456789abcdef"), SystemTime::now());
        let sessions = Sessions::new("web-bff", &token);
        let session = sessions.begin(now);
        let (until, signature) = session.split_once('.').unwrap();
        let later = until.parse::<u64>().unwrap() + 1;
        for bad in [
            String::new(),
            ".".to_owned(),
            until.to_owned(),
            format!("{until}."),
            format!("{later}.{signature}"),
            format!("{until}.{}", &signature[1..]),
            format!("{until}.{}", signature.replace(|_: char| true, "0")),
            format!("{until}.{signature}00"),
            format!("{until}.ü"),
        ] {
            assert!(!sessions.is_good(&bad, now), "{bad}");
        }
    }
}
