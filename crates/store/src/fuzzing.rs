//! What fuzzing needs of the inside. Only with `--cfg fuzzing`, and no part of the interface.

/// Does with a message of the channel what is done with it when it comes; what is understood can be said again.
pub fn invalidation(message: &[u8]) {
    crate::redis::heard(message);
}
