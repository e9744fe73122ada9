//! Pages: their size, and the cursor that leads to the next one.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Serialize;

use crate::ids;
use crate::problem::Problem;

const DEFAULT_SIZE: usize = 50;
const MAX_SIZE: usize = 200;

/// One page of a list.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    pub(crate) next_cursor: Option<String>,
}

/// A whole list.
#[derive(Debug, Serialize)]
pub(crate) struct Items<T> {
    pub(crate) items: Vec<T>,
}

/// How many items a page has.
pub(crate) fn size(limit: Option<usize>) -> Result<usize, Problem> {
    match limit {
        None => Ok(DEFAULT_SIZE),
        Some(limit @ 1..=MAX_SIZE) => Ok(limit),
        Some(_) => Err(Problem::invalid(format!("limit: must be 1 to {MAX_SIZE}"))),
    }
}

/// The cursor of a list for the page that follows the item with this number. Opaque to clients.
pub(crate) fn cursor(list: &str, after: u32) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(format!("{list}:{after}"))
}

/// The number that a cursor of this list holds.
pub(crate) fn read_cursor(list: &str, cursor: Option<&str>) -> Result<Option<u32>, Problem> {
    let Some(cursor) = cursor else {
        return Ok(None);
    };
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor).unwrap_or_default();
    let text = String::from_utf8(bytes).unwrap_or_default();
    let after = text.strip_prefix(list).and_then(|rest| ids::number(":", rest));
    let unknown = || Problem::invalid("cursor: not one that this list gave out as nextCursor");
    after.map(Some).ok_or_else(unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_leads_back_to_its_place_in_its_own_list_only() {
        let written = cursor("orders", 17);
        assert_eq!(read_cursor("orders", Some(&written)).unwrap(), Some(17));
        for foreign in [written.as_str(), "", "17", "%", "b3JkZXJzOg", "b3JkZXJzOjAx"] {
            assert!(read_cursor("products", Some(foreign)).is_err(), "{foreign:?}");
        }
    }
}
