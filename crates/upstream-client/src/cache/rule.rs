//! For how long an answer is kept, and for whom.

use std::time::Duration;

/// What is declared, in one line, about the answers of an operation that are kept (RFC 5861 for the two kinds of stale).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cached {
    personal: bool,
    pub(crate) fresh: Duration,
    pub(crate) stale_while_revalidate: Duration,
    pub(crate) stale_if_error: Duration,
    /// Templates; `{subject}` is the caller's.
    pub(crate) tags: &'static [&'static str],
}

impl Cached {
    /// For everybody: the answer to a call that names nobody.
    pub const fn public() -> Self {
        Self::new(false)
    }

    /// For each caller apart.
    pub const fn per_subject() -> Self {
        Self::new(true)
    }

    const fn new(personal: bool) -> Self {
        let none = Duration::ZERO;
        Self { personal, fresh: none, stale_while_revalidate: none, stale_if_error: none, tags: &[] }
    }

    /// Given again without asking, for so long.
    #[must_use]
    pub const fn fresh_for(mut self, time: Duration) -> Self {
        self.fresh = time;
        self
    }

    /// Given again for so much longer, while it is asked for anew.
    #[must_use]
    pub const fn stale_while_revalidate(mut self, time: Duration) -> Self {
        self.stale_while_revalidate = time;
        self
    }

    /// Given when the service fails, up to this age, to sections that take it.
    #[must_use]
    pub const fn stale_if_error(mut self, age: Duration) -> Self {
        self.stale_if_error = age;
        self
    }

    /// The tags by which it is invalidated; `{subject}` in a tag is the caller's.
    #[must_use]
    pub const fn tags(mut self, tags: &'static [&'static str]) -> Self {
        self.tags = tags;
        self
    }

    pub(crate) const fn is_personal(&self) -> bool {
        self.personal
    }
}
