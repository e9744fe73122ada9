//! The id of one request.

use std::fmt;

use http::{HeaderName, HeaderValue};
use uuid::Uuid;

/// `X-Request-Id`.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id that answers, logs and upstream calls of one request carry.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// The longest id that is taken over from a proxy.
    pub const MAX_LEN: usize = 64;

    /// A new id: a `UUIDv7` (RFC 9562), so ids sort by the time they were made.
    pub fn generate() -> Self {
        let mut text = Uuid::encode_buffer();
        let text = Uuid::now_v7().hyphenated().encode_lower(&mut text);
        Self(HeaderValue::from_str(text).expect("a UUID is hexadecimal digits and hyphens"))
    }

    /// The id a trusted proxy chose, if it is 1 to 64 letters, digits, `-`, `_` or `.`.
    pub fn parse(value: &HeaderValue) -> Option<Self> {
        let plain = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        let bytes = value.as_bytes();
        ((1..=Self::MAX_LEN).contains(&bytes.len()) && bytes.iter().all(plain)).then(|| Self(value.clone()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    /// The id as the value of `X-Request-Id`.
    pub fn header_value(&self) -> HeaderValue {
        self.0.clone()
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_id_is_a_version_7_uuid() {
        let id = RequestId::generate();
        assert_eq!(Uuid::parse_str(id.as_str()).unwrap().get_version_num(), 7);
    }

    #[test]
    fn a_foreign_id_is_short_and_plain() {
        let parse = |text: &str| RequestId::parse(&HeaderValue::from_bytes(text.as_bytes()).unwrap());
        assert_eq!(parse("9f1c-A_b.2").unwrap().as_str(), "9f1c-A_b.2");
        for bad in ["", "a b", "a\"b", "a,b", "é", &"x".repeat(65)] {
            assert!(parse(bad).is_none(), "{bad:?} was taken");
        }
    }
}
