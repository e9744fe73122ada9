//! Values of query parameters that more than one list has.

use jiff::Timestamp;
use serde::Deserialize;

/// How many items a page may have: 1 to 200, and 50 unless said otherwise.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Limit(pub(crate) u32);

impl Default for Limit {
    fn default() -> Self {
        Self(50)
    }
}

impl TryFrom<String> for Limit {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let limit = text.parse().ok().filter(|limit| (1..=200).contains(limit));
        limit.map(Self).ok_or("must be a whole number from 1 to 200")
    }
}

/// A moment (RFC 3339).
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Moment(pub(crate) Timestamp);

impl TryFrom<String> for Moment {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse().map(Self).map_err(|_| "must be an RFC 3339 time, such as 2026-11-22T10:00:00Z")
    }
}
