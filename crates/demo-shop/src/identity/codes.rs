//! Authorization codes (RFC 6749 §4.1, RFC 7636).

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use tokio::time::Instant;

use super::expiring::Expiring;
use super::families::SignIn;
use super::secret::secret;

/// How long a code can be redeemed, and how long it is known as one that was.
const LIFE: Duration = Duration::from_mins(1);
const MEMORY: Duration = Duration::from_mins(10);
const ROOM: usize = 10_000;

/// The codes that were given away.
pub(super) struct Codes(Mutex<Expiring<Record>>);

/// What a code stands for.
#[derive(Clone)]
pub(super) struct Code {
    pub(super) sign_in: SignIn,
    pub(super) redirect_uri: String,
    pub(super) nonce: String,
    /// PKCE, method S256.
    pub(super) challenge: String,
}

struct Record {
    code: Code,
    given: Instant,
    used: bool,
}

/// Why a code is not redeemed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unredeemed {
    /// There is no such code, or no longer, or it is another's.
    Invalid,
    /// It was redeemed before: what it gave under this id must end.
    Replayed(String),
}

impl Codes {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Expiring::new(ROOM)))
    }

    /// A new code for this.
    pub(super) fn give(&self, code: Code) -> String {
        let text = secret();
        let record = Record { code, given: Instant::now(), used: false };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(text.clone(), record, MEMORY);
        text
    }

    /// What `text` stands for, once: whoever shows it, rightly or not, has used it up.
    pub(super) fn redeem(
        &self,
        text: &str,
        client: &str,
        redirect_uri: &str,
        verifier: &str,
    ) -> Result<Code, Unredeemed> {
        let mut codes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let record = codes.get_mut(text).ok_or(Unredeemed::Invalid)?;
        let Record { code, given, used } = record;
        if std::mem::replace(used, true) {
            return Err(Unredeemed::Replayed(code.sign_in.grant_id.clone()));
        }
        let right = given.elapsed() < LIFE
            && code.sign_in.client == client
            && code.redirect_uri == redirect_uri
            && code.challenge == challenge(verifier);
        right.then(|| code.clone()).ok_or(Unredeemed::Invalid)
    }
}

/// The S256 challenge of a verifier (RFC 7636 §4.2).
fn challenge(verifier: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()))
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;
    use crate::ids::Owner;

    const URI: &str = "https://shop.example/callback";

    fn code() -> Code {
        let sign_in = SignIn {
            grant_id: "g".to_owned(),
            client: "web-bff".to_owned(),
            user: Owner::ADA,
            scope: "openid".to_owned(),
            sid: "s".to_owned(),
            auth_time: 0,
        };
        // RFC 7636, appendix B.
        let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM".to_owned();
        Code { sign_in, redirect_uri: URI.to_owned(), nonce: "n".to_owned(), challenge }
    }

    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

    #[tokio::test(start_paused = true)]
    async fn a_code_is_redeemed_once_by_the_one_who_asked_for_it() {
        let codes = Codes::new();
        for (client, uri, verifier, waits, redeemed) in [
            ("web-bff", URI, VERIFIER, 59, true),
            ("web-bff", URI, VERIFIER, 60, false),
            ("mobile-bff", URI, VERIFIER, 0, false),
            ("web-bff", "https://shop.example/other", VERIFIER, 0, false),
            ("web-bff", URI, "guessed", 0, false),
        ] {
            let text = codes.give(code());
            advance(Duration::from_secs(waits)).await;
            let first = codes.redeem(&text, client, uri, verifier);
            assert_eq!(first.is_ok(), redeemed, "{client} {uri} {verifier} {waits}");
            let again = codes.redeem(&text, "web-bff", URI, VERIFIER).err();
            assert_eq!(again, Some(Unredeemed::Replayed("g".to_owned())));
        }
        assert_eq!(codes.redeem("guessed", "web-bff", URI, VERIFIER).err(), Some(Unredeemed::Invalid));
    }
}
