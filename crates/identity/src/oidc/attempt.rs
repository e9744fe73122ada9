//! One attempt to sign in: what ties the provider's answer to the browser that asked.

use std::fmt;

use aws_lc_rs::digest;
use aws_lc_rs::rand;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};

/// Kept by the browser, sealed, from the moment it is sent to the provider until it comes back.
#[derive(Deserialize, Serialize)]
pub(crate) struct Attempt {
    /// What the answer must repeat (RFC 6749, section 10.12).
    pub(crate) state: String,
    /// What the ID token must repeat (OpenID Connect Core 1.0, section 3.1.2.1).
    pub(crate) nonce: String,
    /// What only the one who asked can show (RFC 7636, section 4.1).
    #[serde(serialize_with = "exposed")]
    pub(crate) verifier: SecretString,
    /// The path in the web app where the person wanted to go.
    pub(crate) return_to: String,
    /// The key of the session that the browser had, which ends when the new one begins.
    pub(crate) replaces: Option<[u8; 32]>,
    pub(crate) begun: Timestamp,
}

impl Attempt {
    pub(crate) fn new(return_to: String, replaces: Option<[u8; 32]>, now: Timestamp) -> Self {
        let (state, nonce, verifier) = (random(), random(), random().into());
        Self { state, nonce, verifier, return_to, replaces, begun: now }
    }

    /// The S256 challenge (RFC 7636, section 4.2).
    pub(crate) fn code_challenge(&self) -> String {
        let verifier = self.verifier.expose_secret();
        URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, verifier.as_bytes()))
    }
}

impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attempt").field("begun", &self.begun).finish_non_exhaustive()
    }
}

/// 256 random bits.
fn random() -> String {
    let mut bytes = [0; 32];
    rand::fill(&mut bytes).expect("the operating system gives random bytes");
    URL_SAFE_NO_PAD.encode(bytes)
}

/// For the seal alone: nothing else serializes an attempt.
fn exposed<S: Serializer>(secret: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose_secret())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_challenge_is_that_of_rfc_7636_appendix_b() {
        let attempt = Attempt {
            verifier: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".into(),
            ..Attempt::new("/".into(), None, Timestamp::now())
        };
        assert_eq!(attempt.code_challenge(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn no_two_attempts_share_anything_and_each_secret_has_256_bits() {
        let attempts = [(); 2].map(|()| Attempt::new("/".into(), None, Timestamp::now()));
        let mut secrets: Vec<_> =
            attempts.iter().flat_map(|it| [&it.state, &it.nonce, it.verifier.expose_secret()]).collect();
        assert!(secrets.iter().all(|secret| secret.len() == 43));
        secrets.sort_unstable();
        secrets.dedup();
        assert_eq!(secrets.len(), 6);
    }

    #[test]
    fn its_debug_form_has_no_secret() {
        let attempt = Attempt::new("/".into(), None, Timestamp::now());
        let shown = format!("{attempt:?}");
        for secret in [&attempt.state, &attempt.nonce, attempt.verifier.expose_secret()] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}
