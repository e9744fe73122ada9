//! What an answer has beyond its contract.

use std::collections::BTreeSet;
use std::marker::PhantomData;

use garde::Validate;
use serde::de::{Deserialize, DeserializeOwned, Deserializer};
use serde_ignored::Path;

/// The longest path that is kept, in characters: a service can make names of any length.
const LONGEST: usize = 100;

/// The paths in an answer that `T` passes over, such as `items[].weight`, in order and each once. Values are not kept.
#[derive(Debug)]
pub(super) struct Unknown<T> {
    paths: BTreeSet<String>,
    of: PhantomData<fn() -> T>,
}

impl<T> Unknown<T> {
    pub(super) fn into_names(self) -> Vec<String> {
        self.paths.into_iter().collect()
    }
}

impl<T> Clone for Unknown<T> {
    fn clone(&self) -> Self {
        Self { paths: self.paths.clone(), of: PhantomData }
    }
}

/// Takes any JSON. Where it is no `T`, what was passed over up to there.
impl<'de, T: DeserializeOwned> Deserialize<'de> for Unknown<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let json = serde_json::Value::deserialize(from)?;
        let mut paths = BTreeSet::new();
        let mut note = |path: Path<'_>| {
            paths.insert(text(&path));
        };
        // Whether it is a `T` is not the question here.
        let _ = serde_ignored::deserialize::<_, _, T>(json, &mut note);
        Ok(Self { paths, of: PhantomData })
    }
}

/// Nothing can be wrong with it.
impl<T> Validate for Unknown<T> {
    type Context = ();

    fn validate_into(&self, (): &(), _: &mut dyn FnMut() -> garde::Path, _: &mut garde::Report) {}
}

fn text(path: &Path<'_>) -> String {
    let whole = unbounded(path);
    // It is shown on terminals.
    whole.escape_debug().take(LONGEST).collect()
}

fn unbounded(path: &Path<'_>) -> String {
    match path {
        Path::Root => String::new(),
        Path::Seq { parent, .. } => unbounded(parent) + "[]",
        Path::Map { parent, key } => match unbounded(parent) {
            root if root.is_empty() => key.clone(),
            parent => parent + "." + key,
        },
        Path::Some { parent } | Path::NewtypeStruct { parent } | Path::NewtypeVariant { parent } => {
            unbounded(parent)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BillingAccount, Order, Page, UsageReport};

    fn unknown<T: DeserializeOwned>(json: &str) -> Vec<String> {
        serde_json::from_str::<Unknown<T>>(json).unwrap().into_names()
    }

    #[test]
    fn what_is_passed_over_is_named_once() {
        assert_eq!(unknown::<Page<Order>>(r#"{"items": [], "nextCursor": null}"#), [""; 0]);
        let period = r#"{"period": {"from": "2026-01-01T00:00:00Z", "to": "2026-02-01T00:00:00Z", "zone": "x"}, "z": 1}"#;
        assert_eq!(unknown::<UsageReport>(period), ["period.zone", "z"]);
        let option = r#"{"plan": "p", "paymentMethod": {"brand": "b", "expires": {"month": 1}}}"#;
        assert_eq!(unknown::<BillingAccount>(option), ["paymentMethod.expires"]);
    }

    #[test]
    fn a_broken_contract_hides_only_what_comes_after() {
        let two = r#"{"items": [{"id": "o_1", "total_cents": 1}, {"new": 1}], "total": 2}"#;
        assert_eq!(unknown::<Page<Order>>(two), ["items[].total_cents"]);
        assert_eq!(unknown::<Order>("[]"), [""; 0]);
    }

    #[test]
    fn hostile_names_are_short_and_plain() {
        let json = serde_json::json!({ "a\u{1b}[2J\n": 1, "x".repeat(1000): 1 }).to_string();
        assert_eq!(unknown::<Order>(&json), ["a\\u{1b}[2J\\n".to_owned(), "x".repeat(LONGEST)]);
    }
}
