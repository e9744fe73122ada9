//! What the policy of one section means for its calls.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::Deadline;

/// One section of an answer, as its calls see it.
#[derive(Debug)]
pub(crate) struct Section {
    pub(crate) deadline: Deadline,
    pub(crate) stale_ok: Option<Duration>,
    oldest: Mutex<Option<Duration>>,
}

impl Section {
    pub(crate) fn new(deadline: Deadline, stale_ok: Option<Duration>) -> Self {
        Self { deadline, stale_ok, oldest: Mutex::default() }
    }

    pub(crate) fn served_stale(&self, age: Duration) {
        let mut oldest = self.oldest.lock().unwrap_or_else(PoisonError::into_inner);
        *oldest = (*oldest).max(Some(age));
    }

    pub(crate) fn stale_age(&self) -> Option<Duration> {
        *self.oldest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
