//! What is kept of a key's secret part.

use std::fmt;

use aws_lc_rs::digest;
use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// The SHA-256 of a secret of at least 256 random bits, as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SecretHash(pub(crate) [u8; 32]);

impl SecretHash {
    /// The hash of the secret part of a key.
    pub fn of(secret: &str) -> Self {
        let hash = digest::digest(&digest::SHA256, secret.as_bytes());
        Self(hash.as_ref().try_into().expect("SHA-256 has 32 bytes"))
    }
}

impl fmt::Display for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<'de> Deserialize<'de> for SecretHash {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        // Nor is what stands there by mistake quoted: it may be the secret itself.
        let text = String::deserialize(from).ok();
        let hash = text.and_then(|text| parse(&text)).map(Self);
        hash.ok_or_else(|| D::Error::custom("must be 64 hexadecimal digits"))
    }
}

fn parse(text: &str) -> Option<[u8; 32]> {
    let mut hash = [0; 32];
    if text.len() != 2 * hash.len() || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    for (at, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()?;
    }
    Some(hash)
}
