//! Lists that come in pages.

use garde::Validate;
use serde::{Deserialize, Serialize};

/// Where the next page begins: opaque, made by the service that reads it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String")]
pub struct Cursor(String);

impl Cursor {
    /// The longest cursor.
    pub const MAX_LEN: usize = 512;
}

impl TryFrom<String> for Cursor {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let visible = (1..=Self::MAX_LEN).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        visible.then_some(Self(text)).ok_or("must be the next cursor of an earlier page, unchanged")
    }
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Cursor> for String {
    fn from(cursor: Cursor) -> Self {
        cursor.0
    }
}

/// One page of a list.
#[derive(Clone, Debug, Deserialize, Validate)]
#[serde(rename_all = "camelCase")]
pub struct Page<T>
where
    T: Validate<Context = ()>,
{
    /// The items, in the service's order.
    #[garde(length(max = 1000), dive)]
    pub items: Vec<T>,
    /// Where the next page begins; `None` on the last.
    #[garde(skip)]
    #[serde(default = "none")]
    pub next_cursor: Option<Cursor>,
}

fn none() -> Option<Cursor> {
    None
}
