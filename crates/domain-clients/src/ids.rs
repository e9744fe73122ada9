//! Ids, typed so that none can be taken for another, or for a path.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The longest id.
const MAX_LEN: usize = 64;

/// A text that is no id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadId;

impl fmt::Display for BadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("must be 1 to 64 letters, digits, '_' or '-'")
    }
}

impl std::error::Error for BadId {}

fn parse(text: String) -> Result<String, BadId> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
    if (1..=MAX_LEN).contains(&text.len()) && text.bytes().all(plain) { Ok(text) } else { Err(BadId) }
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize)]
        #[serde(try_from = "String")]
        pub struct $name(String);

        impl TryFrom<String> for $name {
            type Error = BadId;

            fn try_from(text: String) -> Result<Self, BadId> {
                parse(text).map(Self)
            }
        }

        impl FromStr for $name {
            type Err = BadId;

            fn from_str(text: &str) -> Result<Self, BadId> {
                parse(text.to_owned()).map(Self)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

ids! {
    /// The id of an order.
    OrderId
    /// The id of a product.
    ProductId
    /// The id of a promotion.
    PromoId
    /// The id of a notification.
    NotificationId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_can_never_be_more_than_an_id() {
        assert_eq!("o_42".parse::<OrderId>().unwrap().as_ref(), "o_42");
        for bad in ["", ".", "..", "../admin", "%2e%2e%2f", "a?b", "a#b", "a;b", "a b", "ü", &"x".repeat(65)]
        {
            assert_eq!(bad.parse::<OrderId>(), Err(BadId), "{bad:?} was taken");
        }
    }
}
