//! What has become old, and when.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::SeqCst;

use request_context::RequestContext;

/// The tag that everything has.
pub(crate) const ALL: &str = "*";
/// Half a mebibyte of moments.
const PLACES: usize = 1 << 16;
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
/// while its tag was invalidated is old when it comes. Tags share places by their hash: two that meet make each other
/// old, which costs a call and is never wrong.
pub(crate) struct Invalidated {
    now: AtomicU64,
    /// Everything that was asked before is old.
    floor: AtomicU64,
    places: Box<[AtomicU64]>,
    hasher: RandomState,
}

impl Default for Invalidated {
    fn default() -> Self {
        let places = (0..PLACES).map(|_| AtomicU64::new(0)).collect();
        Self { now: AtomicU64::new(0), floor: AtomicU64::new(0), places, hasher: RandomState::new() }
    }
}

impl Invalidated {
    pub(crate) fn now(&self) -> Moment {
        Moment(self.now.load(SeqCst))
    }

    /// Whether what was asked at `asked` and has these tags is old.
    pub(crate) fn since(&self, asked: Moment, tags: &Tags) -> bool {
        let later = |tag: &String| self.place(tag).load(SeqCst) > asked.0;
        asked.0 < self.floor.load(SeqCst) || tags.0.iter().any(later)
    }

    /// What is asked from here on is not old: the moment comes first, then the places.
    pub(crate) fn add<T: AsRef<str>>(&self, tags: impl IntoIterator<Item = T>) {
        let now = self.now.fetch_add(1, SeqCst) + 1;
        for tag in tags {
            let tag = tag.as_ref();
            let place = if tag == ALL { &self.floor } else { self.place(tag) };
            place.fetch_max(now, SeqCst);
        }
    }

    fn place(&self, tag: &str) -> &AtomicU64 {
        let hash = self.hasher.hash_one(tag);
        &self.places[usize::try_from(hash % PLACES as u64).unwrap_or_default()]
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
    fn any_number_of_tags_makes_few_others_old() {
        let invalidated = Invalidated::default();
        let before = invalidated.now();
        invalidated.add((0..1_000).map(|n| n.to_string()));
        assert!((0..1_000).all(|n| invalidated.since(before, &tags(&[&n.to_string()]))));
        let others = (1_000..2_000).filter(|n| invalidated.since(before, &tags(&[&n.to_string()]))).count();
        assert!(others < 100, "{others} of 1000 tags that nobody invalidated are old");
    }
}
