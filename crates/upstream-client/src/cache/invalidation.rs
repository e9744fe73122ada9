//! What has become old, and when.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use request_context::RequestContext;

/// The tag that everything has.
pub(crate) const ALL: &str = "*";
/// So many tags are remembered. Beyond that everything is taken for old once, which is safe, and rare.
const MOST_TAGS: usize = 10_000;
/// What stands for the caller in the template of a tag.
const SUBJECT: &str = "{subject}";

/// A point between two invalidations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(u64);

/// The tags of one call, filled in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tags(Box<[String]>);

impl Tags {
    /// The tags that `templates` are for the caller of this request.
    pub(crate) fn of(templates: &[&'static str], ctx: &RequestContext) -> Self {
        let subject = ctx.caller().map_or("", |caller| caller.subject.as_str());
        Self(templates.iter().map(|template| template.replace(SUBJECT, subject)).collect())
    }

    pub(crate) fn as_slice(&self) -> &[String] {
        &self.0
    }
}

/// When each tag was last invalidated.
///
/// Entries are not looked for: whoever finds one asks here whether it still holds. So an answer that was on its way
/// while its tag was invalidated is old when it comes.
#[derive(Debug, Default)]
pub(crate) struct Invalidated(RwLock<State>);

#[derive(Debug, Default)]
struct State {
    now: u64,
    /// Everything that was asked before is old.
    floor: u64,
    tags: HashMap<String, u64>,
}

impl Invalidated {
    pub(crate) fn now(&self) -> Moment {
        Moment(self.0.read().unwrap_or_else(PoisonError::into_inner).now)
    }

    /// Whether what was asked at `asked` and has these tags is old.
    pub(crate) fn since(&self, asked: Moment, tags: &Tags) -> bool {
        let state = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let later = |tag: &String| state.tags.get(tag).is_some_and(|at| *at > asked.0);
        asked.0 < state.floor || tags.0.iter().any(later)
    }

    pub(crate) fn add<T: AsRef<str>>(&self, tags: impl IntoIterator<Item = T>) {
        let mut state = self.0.write().unwrap_or_else(PoisonError::into_inner);
        state.now += 1;
        let now = state.now;
        for tag in tags {
            let tag = tag.as_ref();
            if tag == ALL || (state.tags.len() >= MOST_TAGS && !state.tags.contains_key(tag)) {
                state.floor = now;
                state.tags.clear();
            } else {
                state.tags.insert(tag.to_owned(), now);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(tags: &[&str]) -> Tags {
        Tags(tags.iter().map(|tag| (*tag).to_owned()).collect())
    }

    #[test]
    fn only_what_was_asked_before_is_old() {
        let invalidated = Invalidated::default();
        let before = invalidated.now();
        invalidated.add(["a", "b"]);
        let after = invalidated.now();
        for (asked, of, old) in [
            (before, tags(&["a"]), true),
            (before, tags(&["c", "b"]), true),
            (before, tags(&["c"]), false),
            (before, tags(&[]), false),
            (after, tags(&["a"]), false),
        ] {
            assert_eq!(invalidated.since(asked, &of), old, "{of:?} at {asked:?}");
        }
        invalidated.add([ALL]);
        assert!(invalidated.since(after, &tags(&[])));
        assert!(!invalidated.since(invalidated.now(), &tags(&["a"])));
    }

    #[test]
    fn too_many_tags_make_everything_old_and_never_anything_young() {
        let invalidated = Invalidated::default();
        let before = invalidated.now();
        invalidated.add((0..MOST_TAGS).map(|n| n.to_string()));
        assert!(!invalidated.since(before, &tags(&["other"])));
        invalidated.add(["one more"]);
        assert!(invalidated.since(before, &tags(&["other"])));
        assert!(invalidated.since(before, &tags(&["17"])));
        assert!(!invalidated.since(invalidated.now(), &tags(&["17"])));
        invalidated.add(["17"]);
        assert!(!invalidated.since(invalidated.now(), &tags(&["17"])));
    }
}
