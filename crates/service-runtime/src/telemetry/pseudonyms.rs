//! Names for users that say nothing about them.

use std::hash::{BuildHasher, RandomState};

use request_context::Caller;

/// The same name for the same user, as long as the process lives.
///
/// It is a hash with a key that is drawn at the start and never leaves the process, so that nobody can find a user's name
/// by trying the ids there are. For that, it is another one after a restart and in every replica.
#[derive(Debug, Default)]
pub(crate) struct Pseudonyms(RandomState);

impl Pseudonyms {
    /// Sixteen hexadecimal digits.
    pub(crate) fn of(&self, caller: &Caller) -> String {
        format!("{:016x}", self.0.hash_one((&*caller.realm, caller.subject.as_str())))
    }
}
