//! Authenticated encryption of what is kept or handed out, with a key that can be replaced.
//!
//! AES-256-GCM with random nonces. Each context has a key of its own, derived from the one of the settings
//! (HKDF, RFC 5869): so few messages are sealed with any one key that their nonces do not meet. What is
//! sealed names its key, so that what the previous one sealed can still be opened after a change of keys.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::{digest, hkdf, rand};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

const KEY_LEN: usize = 32;
/// Of the hash of a key, in front of what it sealed.
const ID_LEN: usize = 4;

/// A key of 256 random bits, written in base64 as `openssl rand -base64 32` prints it. Never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct SealKey([u8; KEY_LEN]);

/// The key that seals, and those that open. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Keyring(Arc<Keys>);

struct Keys {
    current: Key,
    previous: Option<Key>,
}

struct Key {
    id: [u8; ID_LEN],
    secret: hkdf::Prk,
}

impl Keyring {
    /// A key that nobody else has, and that ends with this process.
    pub(crate) fn random() -> Self {
        let mut key = [0; KEY_LEN];
        rand::fill(&mut key).expect("the system has randomness");
        Self::new(&SealKey(key), None)
    }

    /// Seals with `current`, and opens what `previous` sealed too.
    pub(crate) fn new(current: &SealKey, previous: Option<&SealKey>) -> Self {
        Self(Arc::new(Keys { current: Key::new(current), previous: previous.map(Key::new) }))
    }

    /// `plain`, so that only who has the key can read it, and only as what `context` says it is.
    pub(crate) fn seal(&self, context: &str, plain: &[u8]) -> Vec<u8> {
        let key = &self.0.current;
        let mut text = plain.to_vec();
        let nonce = key
            .cipher(context)
            .seal_in_place_append_tag(Aad::from(context.as_bytes()), &mut text)
            .expect("it is shorter than 64 GiB");
        [&key.id[..], nonce.as_ref(), &text].concat()
    }

    /// What was sealed in the same context, if a key of ours sealed it and nobody changed it.
    pub(crate) fn open(&self, context: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let (id, rest) = sealed.split_at_checked(ID_LEN)?;
        let (nonce, text) = rest.split_at_checked(NONCE_LEN)?;
        let nonce = <[u8; NONCE_LEN]>::try_from(nonce).ok()?;
        let mut keys = std::iter::once(&self.0.current).chain(&self.0.previous);
        let key = keys.find(|key| key.id == id)?;
        let mut text = text.to_vec();
        let plain = key.cipher(context).open_in_place(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(context.as_bytes()),
            &mut text,
        );
        let length = plain.ok()?.len();
        text.truncate(length);
        Some(text)
    }
}

impl Key {
    fn new(key: &SealKey) -> Self {
        let hash = digest::digest(&digest::SHA256, &[&b"triptych key id:"[..], &key.0].concat());
        let id = hash.as_ref()[..ID_LEN].try_into().expect("a hash is longer than that");
        Self { id, secret: hkdf::Prk::new_less_safe(hkdf::HKDF_SHA256, &key.0) }
    }

    /// The cipher with the key of one context.
    fn cipher(&self, context: &str) -> RandomizedNonceKey {
        let mut key = [0; KEY_LEN];
        let info = [b"triptych seal:", context.as_bytes()];
        let derived = self.secret.expand(&info, hkdf::HKDF_SHA256).and_then(|derived| derived.fill(&mut key));
        derived.expect("32 bytes are what one hash gives");
        RandomizedNonceKey::new(&AES_256_GCM, &key).expect("the key has the length that the cipher wants")
    }
}

impl<'de> Deserialize<'de> for SealKey {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let wrong =
            || D::Error::custom("must be 32 bytes in base64, as `openssl rand -base64 32` prints them");
        // serde's own message would quote the value.
        let text = SecretString::deserialize(from).map_err(|_| wrong())?;
        let bytes = STANDARD.decode(text.expose_secret().trim()).map_err(|_| wrong())?;
        bytes.try_into().map(Self).map_err(|_| wrong())
    }
}

impl Serialize for SealKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("[redacted]")
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn key(byte: u8) -> SealKey {
        SealKey([byte; KEY_LEN])
    }

    #[test]
    fn what_is_sealed_is_opened_in_its_context_alone() {
        let keyring = Keyring::random();
        for plain in [&b""[..], b"a", &[7; 5000]] {
            let sealed = keyring.seal("session:1", plain);
            assert_eq!(keyring.open("session:1", &sealed).unwrap(), plain);
            assert_eq!(keyring.open("session:2", &sealed), None);
            assert_eq!(Keyring::random().open("session:1", &sealed), None);
        }
        let twice = [keyring.seal("a", b"same"), keyring.seal("a", b"same")];
        assert_ne!(twice[0], twice[1]);
        assert!(!twice[0].windows(4).any(|part| part == b"same"));
    }

    #[test]
    fn what_was_changed_or_cut_off_is_not_opened() {
        let keyring = Keyring::random();
        let sealed = keyring.seal("a", b"the tokens");
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(keyring.open("a", &changed), None, "byte {at}");
            assert_eq!(keyring.open("a", &sealed[..at]), None, "the first {at} bytes");
        }
    }

    #[test]
    fn after_a_change_of_keys_the_previous_one_opens_and_the_current_one_seals() {
        let (old, new) = (key(1), key(2));
        let before = Keyring::new(&old, None).seal("a", b"tokens");
        let during = Keyring::new(&new, Some(&old));
        assert_eq!(during.open("a", &before).unwrap(), b"tokens");
        let resealed = during.seal("a", b"tokens");
        let after = Keyring::new(&new, None);
        assert_eq!(after.open("a", &resealed).unwrap(), b"tokens");
        assert_eq!(after.open("a", &before), None);
    }

    #[test]
    fn a_key_is_32_bytes_and_never_shown() {
        let text = STANDARD.encode([7; 32]);
        let read: SealKey = serde_json::from_value(json!(format!("{text}\n"))).unwrap();
        assert_eq!(read, key(7));
        assert_eq!(serde_json::to_value(&read).unwrap(), json!("[redacted]"));
        assert_eq!(format!("{read:?}"), "SealKey(…)");
        for bad in
            [json!(""), json!("hunter2"), json!(STANDARD.encode([7; 31])), json!(12_345), json!([text])]
        {
            let error = serde_json::from_value::<SealKey>(bad).unwrap_err().to_string();
            assert_eq!(error, "must be 32 bytes in base64, as `openssl rand -base64 32` prints them");
        }
    }
}
